#include "runtime/storage/stored_bytes.h"

#include <optional>
#include <utility>

#include "runtime/storage/content_hash.h"

namespace watershed {

Result<std::string> ReadStored(ObjectStorage& storage, const StoredFile& file) {
  WS_ASSIGN_OR_RETURN(std::optional<std::string> bytes, storage.Get(file.name));
  if (!bytes) {
    return ExternalError("the checkpoint's file '{}' is not in {}: restore from another one",
                         file.name, storage.uri());
  }
  if (static_cast<int64_t>(bytes->size()) != file.size_bytes ||
      ContentHash::Of(*bytes) != file.xxh3) {
    return ExternalError(
        "the checkpoint's file '{}' in {} is damaged: {} bytes, {} expected, or another checksum; "
        "restore from another checkpoint",
        file.name, storage.uri(), bytes->size(), file.size_bytes);
  }
  return std::move(*bytes);
}

}  // namespace watershed
