// The directories and files below the root of a FileStorage: the steps that FileStorage and its
// writers are made of. Names are checked before they come here. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/storage/file_storage.h"
#include "runtime/types/result.h"

namespace watershed {

// Closes what it holds.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

class FileTree {
 public:
  FileTree(std::string root, FileStorageOptions options)
      : root_(std::move(root)), options_(std::move(options)) {}

  struct Temporary {
    FileDescriptor fd;  // for writing
    std::string path;
  };
  // A new file beside the final name of `name`, locked, in directories that are made as needed.
  Result<Temporary> MakeTemporary(std::string_view name);
  // Writes all of it, where the file ends.
  Status Write(const Temporary& file, std::string_view bytes) const;
  // Its content is durable then, not its name.
  Status Sync(const Temporary& file) const;
  // Makes the root with the directories above it, and syncs them.
  Status MakeRoot();
  // Makes what was made, renamed and removed in it durable. False: it is not there.
  Result<bool> SyncDirectory(const std::string& path) const;
  // Syncs the directory of `name` and all above it up to the root.
  Status SyncDirectoriesOf(std::string_view name);
  // Removes the directories of `name` that are empty now, and syncs the one that lost an entry.
  Status RemoveEmptyDirectoriesOf(std::string_view name);
  // Removes a temporary file that is older than temporary_age_max and whose writer is dead.
  void RemoveIfAbandoned(const std::string& temporary_path, int64_t modified_ms) const;

  std::string PathOf(std::string_view name) const {
    return name.empty() ? root_ : root_ + "/" + std::string(name);
  }
  const std::string& root() const { return root_; }
  const FileStorageOptions& options() const { return options_; }
  static bool IsTemporary(std::string_view file_name) {
    return file_name.find('~') != std::string_view::npos;
  }

 private:
  Status MakeDirectoriesOf(std::string_view name);
  mode_t directory_mode() const { return options_.owner_only ? 0700 : 0777; }
  mode_t file_mode() const { return options_.owner_only ? 0600 : 0666; }

  const std::string root_;
  const FileStorageOptions options_;
  std::atomic<uint64_t> next_temporary_{0};
};

}  // namespace watershed
