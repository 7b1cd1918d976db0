#include "wsctl/doctor/directory.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "runtime/storage/object_storage.h"

namespace watershed {

Status CheckWritable(const std::string& uri) {
  WS_ASSIGN_OR_RETURN(const std::string directory, DirectoryOfUri(uri));
  std::error_code ignored;
  std::filesystem::path there(directory);
  while (there.has_relative_path() && !std::filesystem::exists(there, ignored)) {
    there = there.parent_path();
  }
  // Rights alone do not tell: the file system may be read-only, or of a kind that has no room for
  // others.
  std::string probe = there / ".watershed-doctor-XXXXXX";
  if (::mkdtemp(probe.data()) == nullptr) {
    return ExternalError("nothing can be made in {}, which {} needs: {}", there.string(), uri,
                         std::generic_category().message(errno));
  }
  ::rmdir(probe.c_str());
  return Ok();
}

}  // namespace watershed
