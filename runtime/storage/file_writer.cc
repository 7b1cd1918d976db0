#include "runtime/storage/file_writer.h"

#include <sys/stat.h>

#include <cerrno>

#include "runtime/storage/file_error.h"

namespace watershed {

Status FileWriter::Append(std::string_view bytes) {
  Status written = tree_->Write(temporary_, bytes);
  is_whole_ = is_whole_ && written.has_value();
  return written;
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
  WS_RETURN_IF_ERROR(tree_->Sync(temporary_));
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
