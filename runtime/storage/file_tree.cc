#include "runtime/storage/file_tree.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "runtime/storage/file_error.h"
#include "runtime/types/clock.h"
#include "runtime/types/planted_bug.h"

namespace watershed {
namespace {

// How often a directory may vanish under us because another process found it empty.
constexpr int kTries = 100;

std::string_view DirectoryOf(std::string_view name) {
  const size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

}  // namespace

Result<FileTree::Temporary> FileTree::MakeTemporary(std::string_view name) {
  std::string path;
  for (int i = 0; i < kTries; ++i) {
    WS_RETURN_IF_ERROR(MakeDirectoriesOf(name));
    path = fmt::format("{}~{}-{}", PathOf(name), ::getpid(), next_temporary_++);
    FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file_mode()));
    if (fd.is_open()) {
      // Nobody else can hold the lock yet; a file system without locks leaves only the age.
      ::flock(fd.get(), LOCK_EX | LOCK_NB);
      return Temporary{std::move(fd), std::move(path)};
    }
    // The directory was removed in between, or another host has a process of our number.
    if (errno != ENOENT && errno != EEXIST) break;
  }
  return FileError(errno, "make", path);
}

Status FileTree::MakeDirectoriesOf(std::string_view name) {
  for (size_t slash = name.find('/'); slash != std::string_view::npos;
       slash = name.find('/', slash + 1)) {
    const std::string path = PathOf(name.substr(0, slash));
    // ENOENT: the one above was removed just now; MakeTemporary begins again.
    if (::mkdir(path.c_str(), directory_mode()) != 0 && errno != EEXIST && errno != ENOENT) {
      return FileError(errno, "make directory", path);
    }
  }
  return Ok();
}

Status FileTree::MakeRoot() {
  for (size_t slash = root_.find('/', 1);; slash = root_.find('/', slash + 1)) {
    const std::string path = root_.substr(0, slash);
    const bool is_made = ::mkdir(path.c_str(), directory_mode()) == 0;
    const int why_not = errno;  // of mkdir; stat would say only that it is not there
    if (is_made) {
      const std::string above(DirectoryOf(path));
      WS_RETURN_IF_ERROR(SyncDirectory(above.empty() ? "/" : above));
    } else if (struct stat info; ::stat(path.c_str(), &info) != 0) {
      return FileError(why_not, "make directory", path);
    } else if (!S_ISDIR(info.st_mode)) {
      return FileError(ENOTDIR, "use as a directory", path);
    }
    if (slash == std::string::npos) return Ok();
  }
}

Status FileTree::Write(const Temporary& file, std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = options_.write(file.fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FileError(written < 0 ? errno : ENOSPC, "write", file.path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return Ok();
}

Status FileTree::Sync(const Temporary& file) const {
  if (IsPlanted(PlantedBug::kFileSyncSkipped) || options_.sync(file.fd.get()) == 0) return Ok();
  return FileError(errno, "sync", file.path);
}

Result<bool> FileTree::SyncDirectory(const std::string& path) const {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) {
    if (errno == ENOENT) return false;
    return FileError(errno, "open directory", path);
  }
  if (IsPlanted(PlantedBug::kDirectorySyncSkipped)) return true;
  if (options_.sync(fd.get()) != 0) return FileError(errno, "sync directory", path);
  return true;
}

Status FileTree::SyncDirectoriesOf(std::string_view name) {
  do {
    name = DirectoryOf(name);
    WS_RETURN_IF_ERROR(SyncDirectory(PathOf(name)));
  } while (!name.empty());
  return Ok();
}

Status FileTree::RemoveEmptyDirectoriesOf(std::string_view name) {
  std::string_view directory = DirectoryOf(name);
  while (!directory.empty()) {
    if (::rmdir(PathOf(directory).c_str()) != 0 && errno != ENOENT) break;
    directory = DirectoryOf(directory);
  }
  for (;; directory = DirectoryOf(directory)) {
    WS_ASSIGN_OR_RETURN(const bool is_there, SyncDirectory(PathOf(directory)));
    if (is_there || directory.empty()) return Ok();
  }
}

void FileTree::RemoveIfAbandoned(const std::string& temporary_path, int64_t modified_ms) const {
  const int64_t age_ms = SystemClock().NowMs() - modified_ms;
  if (age_ms < std::chrono::milliseconds(options_.temporary_age_max).count()) return;
  const FileDescriptor fd(::open(temporary_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.is_open() || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return;
  ::unlink(temporary_path.c_str());
}

}  // namespace watershed
