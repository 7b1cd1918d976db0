#include "runtime/process/temporary_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace watershed {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "watershed-";
constexpr std::string_view kLockFile = "owner.lock";

// The descriptor that holds the lock, or -1.
int TryLock(const fs::path& directory, int flags) {
  const int fd = ::open((directory / kLockFile).c_str(), O_RDWR | O_CLOEXEC | flags, 0600);
  if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    ::close(fd);
    errno = reason;
    return -1;
  }
  return fd;
}

void SweepUp(const fs::path& parent) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, error)) {
    if (!entry.path().filename().string().starts_with(kPrefix)) continue;
    const int lock = TryLock(entry.path(), 0);  // without a lock file it is not ours to judge
    if (lock < 0) continue;
    std::error_code ignored;  // another user's, or swept by another process just now
    fs::remove_all(entry.path(), ignored);
    ::close(lock);
  }
}

}  // namespace

Result<std::unique_ptr<TemporaryDirectory>> TemporaryDirectory::Make(const std::string& parent,
                                                                     const std::string& name) {
  std::error_code error;
  fs::create_directories(parent, error);
  if (error) {
    return ExternalError("io.tmp.dirs: '{}' cannot be made: {}", parent, error.message());
  }
  SweepUp(parent);
  const fs::path path = fs::path(parent) / (std::string(kPrefix) + name);
  fs::create_directory(path, error);
  if (error) {
    return ExternalError("io.tmp.dirs: '{}' cannot be made: {}", path.string(), error.message());
  }
  const int lock = TryLock(path, O_CREAT);
  if (lock < 0 && errno == EWOULDBLOCK) {
    return UserError(
        "another TaskManager on this machine is called '{}' and holds '{}': give this one another "
        "taskmanager.resource-id, or none",
        name, path.string());
  }
  if (lock < 0) {
    return ExternalError("io.tmp.dirs: '{}' cannot be locked: {}", path.string(),
                         std::strerror(errno));
  }
  return std::unique_ptr<TemporaryDirectory>(new TemporaryDirectory(path.string(), lock));
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  ::close(lock_);
}

}  // namespace watershed
