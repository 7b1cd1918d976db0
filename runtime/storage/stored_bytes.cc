#include "runtime/storage/stored_bytes.h"

#include <optional>
#include <utility>

#include "runtime/storage/content_hash.h"

namespace watershed {
Result<std::string> ReadStored(ObjectStorage& storage, const StoredFile& file) {
  WS_ASSIGN_OR_RETURN(std::optional<std::string> bytes, storage.Get(file.name));
  if (!bytes) {
    return DamagedFile(file.name, fmt::format("the checkpoint's file '{}' is not in {}", file.name,
                                              storage.uri()));
  }
  if (static_cast<int64_t>(bytes->size()) != file.size_bytes ||
      ContentHash::Of(*bytes) != file.xxh3) {
    const char* const what = static_cast<int64_t>(bytes->size()) == file.size_bytes
                                 ? "its contents are not what was written"
                                 : "its length is not what was written";
    return DamagedFile(file.name,
                       fmt::format("the checkpoint's file '{}' in {} is damaged: {} ({} bytes, {} "
                                   "expected)",
                                   file.name, storage.uri(), what, bytes->size(), file.size_bytes));
  }
  return std::move(*bytes);
}

}  // namespace watershed
