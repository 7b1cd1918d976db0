#include "runtime/storage/file_storage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "runtime/storage/file_error.h"
#include "runtime/storage/file_tree.h"
#include "runtime/storage/file_writer.h"
#include "runtime/storage/object_name.h"

namespace watershed {
namespace {

int64_t ModifiedMs(const struct stat& info) {
  return int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000;
}

class OpenedFile final : public ObjectReader {
 public:
  OpenedFile(FileDescriptor fd, std::string path, int64_t size_bytes)
      : fd_(std::move(fd)), path_(std::move(path)), size_bytes_(size_bytes) {}

  int64_t size_bytes() const override { return size_bytes_; }
  Result<size_t> Read(std::span<char> into) override {
    size_t size = 0;
    while (size < into.size()) {
      const ssize_t got = ::read(fd_.get(), into.data() + size, into.size() - size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FileError(errno, "read", path_);
      if (got == 0) break;  // cut short by somebody: whoever checks the content will see it
      size += static_cast<size_t>(got);
    }
    return size;
  }

 private:
  const FileDescriptor fd_;
  const std::string path_;
  const int64_t size_bytes_;
};

class FileStorage final : public ObjectStorage {
 public:
  explicit FileStorage(std::shared_ptr<FileTree> tree)
      : tree_(std::move(tree)), uri_("file://" + tree_->root()) {}

  Result<std::unique_ptr<ObjectWriter>> Create(std::string_view name) override {
    WS_RETURN_IF_ERROR(CheckObjectName(name));
    WS_ASSIGN_OR_RETURN(FileTree::Temporary temporary, tree_->MakeTemporary(name));
    return std::make_unique<FileWriter>(tree_, std::string(name), std::move(temporary));
  }

  Result<std::optional<std::string>> Get(std::string_view name) override {
    WS_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectReader> file, Open(name));
    if (file == nullptr) return std::nullopt;
    std::string bytes(static_cast<size_t>(file->size_bytes()), '\0');
    WS_ASSIGN_OR_RETURN(const size_t size, file->Read(bytes));
    bytes.resize(size);
    return bytes;
  }

  Result<std::unique_ptr<ObjectReader>> Open(std::string_view name) override {
    WS_RETURN_IF_ERROR(CheckObjectName(name));
    const std::string path = tree_->PathOf(name);
    FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.is_open()) {
      if (errno == ENOENT || errno == ENOTDIR) return nullptr;
      return FileError(errno, "open", path);
    }
    struct stat info;
    if (::fstat(fd.get(), &info) != 0) return FileError(errno, "read", path);
    if (S_ISDIR(info.st_mode)) return FileError(EISDIR, "read", path);
    return std::make_unique<OpenedFile>(std::move(fd), path, info.st_size);
  }

  Result<std::vector<ObjectInfo>> List(std::string_view prefix) override {
    WS_RETURN_IF_ERROR(CheckObjectPrefix(prefix));
    const size_t slash = prefix.rfind('/');
    std::vector<ObjectInfo> found;
    WS_RETURN_IF_ERROR(
        Walk(slash == prefix.npos ? "" : std::string(prefix.substr(0, slash)), prefix, &found));
    std::ranges::sort(found, {}, &ObjectInfo::name);
    return found;
  }

  Status Delete(std::string_view name) override {
    WS_RETURN_IF_ERROR(CheckObjectName(name));
    const std::string path = tree_->PathOf(name);
    if (::unlink(path.c_str()) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return Ok();
      return FileError(errno, "delete", path);
    }
    return tree_->RemoveEmptyDirectoriesOf(name);
  }

  const std::string& uri() const override { return uri_; }

 private:
  // Adds the objects in `directory` and below it whose names begin with `prefix`.
  Status Walk(const std::string& directory, std::string_view prefix,
              std::vector<ObjectInfo>* found) const {
    const std::string path = tree_->PathOf(directory);
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(path.c_str()), ::closedir);
    if (entries == nullptr) {
      if (errno == ENOENT || errno == ENOTDIR) return Ok();
      return FileError(errno, "list", path);
    }
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(entries.get());
      if (entry == nullptr) break;
      WS_RETURN_IF_ERROR(Visit(::dirfd(entries.get()), directory, entry->d_name, prefix, found));
    }
    if (errno != 0) return FileError(errno, "list", path);
    return Ok();
  }

  Status Visit(int directory_fd, const std::string& directory, const std::string& file_name,
               std::string_view prefix, std::vector<ObjectInfo>* found) const {
    const std::string name = directory.empty() ? file_name : directory + "/" + file_name;
    struct stat info;
    if (::fstatat(directory_fd, file_name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return Ok();  // deleted since readdir saw it
      return FileError(errno, "list", tree_->PathOf(name));
    }
    if (FileTree::IsTemporary(file_name)) {
      if (S_ISREG(info.st_mode)) tree_->RemoveIfAbandoned(tree_->PathOf(name), ModifiedMs(info));
      return Ok();
    }
    if (!CheckObjectName(name)) return Ok();  // ".", "..", and what is none of ours
    const bool may_match =
        std::string_view(name).starts_with(prefix) || prefix.starts_with(name + "/");
    if (S_ISDIR(info.st_mode) && may_match) return Walk(name, prefix, found);
    if (S_ISREG(info.st_mode) && name.starts_with(prefix)) {
      found->push_back({name, info.st_size, ModifiedMs(info)});
    }
    return Ok();
  }

  const std::shared_ptr<FileTree> tree_;
  const std::string uri_;
};

// Says from where on the path is missing, which is where it was mistyped or not mounted.
Status CheckExists(const std::string& root) {
  std::error_code error;
  if (std::filesystem::is_directory(root, error)) return Ok();
  std::filesystem::path there(root);
  std::filesystem::path missing;
  while (there.has_relative_path() && !std::filesystem::exists(there, error)) {
    missing = there.filename();
    there = there.parent_path();
  }
  if (missing.empty()) return UserError("{} is not a directory", root);
  return UserError("there is no directory {}: {} has no '{}'", root, there.string(),
                   missing.string());
}

}  // namespace

Result<std::shared_ptr<ObjectStorage>> OpenFileStorage(const std::string& path,
                                                       FileStorageOptions options) {
  std::string root = std::filesystem::path(path).lexically_normal().string();
  while (root.size() > 1 && root.ends_with('/')) root.pop_back();
  if (!root.starts_with('/') || root == "/") {
    return UserError("'{}' cannot be a storage directory: name it by its absolute path", path);
  }
  const bool must_exist = options.must_exist;
  auto tree = std::make_shared<FileTree>(root, std::move(options));
  if (must_exist) {
    WS_RETURN_IF_ERROR(CheckExists(root));
    return std::make_shared<FileStorage>(std::move(tree));
  }
  WS_RETURN_IF_ERROR(tree->MakeRoot());
  // Never committed: it only shows that the directory can be written to.
  WS_ASSIGN_OR_RETURN(FileTree::Temporary probe, tree->MakeTemporary("write-check"));
  FileWriter writer(tree, "write-check", std::move(probe));
  WS_RETURN_IF_ERROR(writer.Append("watershed"));
  return std::make_shared<FileStorage>(std::move(tree));
}

}  // namespace watershed
