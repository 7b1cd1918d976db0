#include "runtime/storage/object_storage.h"

#include <filesystem>
#include <utility>

#include "runtime/storage/bytes_reader.h"
#include "runtime/storage/file_storage.h"

namespace watershed {

Result<bool> ObjectStorage::PutIfAbsent(std::string_view name, std::string_view bytes) {
  WS_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectWriter> writer, Create(name));
  WS_RETURN_IF_ERROR(writer->Append(bytes));
  return writer->Commit();
}

Result<std::unique_ptr<ObjectReader>> ObjectStorage::Open(std::string_view name) {
  WS_ASSIGN_OR_RETURN(std::optional<std::string> bytes, Get(name));
  if (!bytes) return nullptr;
  return std::make_unique<BytesReader>(std::move(*bytes));
}

Result<std::string> DirectoryOfUri(std::string_view uri) {
  std::string_view path = uri;
  if (const size_t colon = uri.find(':'); colon != uri.npos && !uri.starts_with('/')) {
    const std::string_view scheme = uri.substr(0, colon);
    if (scheme != "file") {
      return UserError(
          "'{}': storage of kind '{}' is not supported; write file:///directory, a "
          "directory that every process can reach",
          uri, scheme);
    }
    path.remove_prefix(colon + 1);
    if (path.starts_with("//")) path.remove_prefix(2);
  }
  if (!path.starts_with('/')) {
    return UserError("'{}' does not name a directory by its absolute path; write file:///directory",
                     uri);
  }
  std::string directory = std::filesystem::path(path).lexically_normal().string();
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  return directory;
}

Result<std::shared_ptr<ObjectStorage>> OpenStorage(std::string_view uri, StorageAccess access) {
  FileStorageOptions options;
  options.owner_only = access == StorageAccess::kOwnerOnly;
  options.must_exist = access == StorageAccess::kExisting;
  WS_ASSIGN_OR_RETURN(const std::string directory, DirectoryOfUri(uri));
  return OpenFileStorage(directory, std::move(options));
}

std::string JoinUri(std::string_view uri, std::string_view name) {
  while (uri.ends_with('/')) uri.remove_suffix(1);
  return fmt::format("{}/{}", uri, name);
}

}  // namespace watershed
