// ObjectStorage in a directory of a file system, local or mounted by every process. An object is a
// file of the same name below the root.
//
// An object is written to a temporary file beside its final name, synced, given that name by
// link(2), which fails if the name is taken, and loses the temporary name; then every directory
// from there up to the root is synced, since any of them may have been made by a process that died
// before it could. So a name stands for the whole content or for nothing, also after a power
// failure. Temporary names have a '~', which no object's name has; their writers hold a lock
// (flock), so that List, which skips them, can remove those that are old and whose writer is dead.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "runtime/storage/object_storage.h"

namespace watershed {

struct FileStorageOptions {
  bool must_exist = false;  // nothing is made or written when it is opened
  bool owner_only = false;  // directories it makes are 0700 and files 0600, else as umask says
  std::chrono::seconds temporary_age_max{3600};  // older ones of dead writers are removed
  // The system's calls, which tests replace to fail and to see what would survive a power failure.
  std::function<ssize_t(int fd, const void* bytes, size_t size)> write = ::write;
  std::function<int(int fd)> sync = ::fsync;
};

// `path` is absolute. Makes the directory and writes to it once, unless it must exist. An external
// error says what is wrong with it and what to do.
Result<std::shared_ptr<ObjectStorage>> OpenFileStorage(const std::string& path,
                                                       FileStorageOptions options = {});

}  // namespace watershed
