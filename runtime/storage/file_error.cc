#include "runtime/storage/file_error.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace watershed {
namespace {

// Whether the same may succeed later without anybody changing a setting or a permission.
bool MayHeal(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
    case EISDIR:
    case ENOTDIR:
    case EEXIST:
    case ELOOP:
    case ENAMETOOLONG:
      return false;
    default:
      return true;
  }
}

std::string WhatToDo(int error_number) {
  switch (error_number) {
    case ENOSPC:
      return "free space there, or point the setting that names this directory to a larger disk";
    case EDQUOT:
      return "free space there, or raise the quota of the user that runs this process";
    case EROFS:
      return "the file system is mounted read-only: remount it, or point the setting that names "
             "this directory elsewhere";
    case EACCES:
    case EPERM:
      return fmt::format(
          "give user id {}, which runs this process, the right to read and write "
          "there",
          ::geteuid());
    case EISDIR:
    case ENOTDIR:
    case EEXIST:
      return "something of another kind has this name: move it away";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    case EIO:
      return "look into the kernel's log (dmesg) for what the disk says";
    default:
      return "look at the directory and its file system";
  }
}

}  // namespace

tl::unexpected<Error> FileError(int error_number, std::string_view doing, const std::string& path) {
  return tl::make_unexpected(
      Error{ErrorDomain::kExternal, MayHeal(error_number),
            fmt::format("cannot {} '{}': {}; {}", doing, path,
                        std::generic_category().message(error_number), WhatToDo(error_number))});
}

}  // namespace watershed
