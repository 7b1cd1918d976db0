// What survives a power failure of what a FileStorage has written: the content that a file had when
// it was last synced, under the names that its directories had when they were. By inode, as the
// kernel has it; the files themselves lie in a directory that is never really synced.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace watershed {

// One thread.
class SyncedDisk {
 public:
  // Stands for fsync (FileStorageOptions::sync).
  int Sync(int fd);
  // Nothing: the name is gone. A name of a file that was never synced is an empty file. The root
  // itself is there.
  std::optional<std::string> Get(const std::filesystem::path& root, const std::string& name) const;

 private:
  std::map<ino_t, std::map<std::string, ino_t>> directories_;
  std::map<ino_t, std::string> contents_;
};

}  // namespace watershed
