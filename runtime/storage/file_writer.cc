#include "runtime/storage/file_writer.h"

#include <sys/stat.h>

#include <cerrno>

#include "runtime/storage/file_error.h"
#include "runtime/types/planted_bug.h"

namespace watershed {

Status FileWriter::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = tree_->options().write(temporary_.fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      is_whole_ = false;
      return FileError(written < 0 ? errno : ENOSPC, "write", temporary_.path);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return Ok();
}

Result<bool> FileWriter::Commit() {
  if (!is_whole_) {
    return InternalError(
        "object '{}' cannot be committed: a part of it could not be written, or "
        "it was committed before",
        name_);
  }
  is_whole_ = false;
  // Before the link: a name must never lead to bytes that a power failure can take away.
  if (!IsPlanted(PlantedBug::kFileSyncSkipped) && tree_->options().sync(temporary_.fd.get()) != 0) {
    return FileError(errno, "sync", temporary_.path);
  }
  WS_ASSIGN_OR_RETURN(const bool linked, Link());
  RemoveTemporary();
  // Also when the name is taken: whoever is told so may rely on what is there.
  WS_RETURN_IF_ERROR(tree_->SyncDirectoriesOf(name_));
  return linked;
}

Result<bool> FileWriter::Link() {
  const std::string path = tree_->PathOf(name_);
  if (::link(temporary_.path.c_str(), path.c_str()) == 0) return true;
  const int error = errno;
  struct stat info;
  // Over NFS the answer to a link that took place may be lost, and the repeated call then fails.
  if (::fstat(temporary_.fd.get(), &info) == 0 && info.st_nlink == 2) return true;
  if (error != EEXIST) return FileError(error, "link", path);
  if (::lstat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return FileError(EEXIST, "write", path);
  }
  return false;
}

void FileWriter::RemoveTemporary() {
  if (temporary_.path.empty()) return;
  ::unlink(temporary_.path.c_str());
  temporary_.path.clear();
}

}  // namespace watershed
