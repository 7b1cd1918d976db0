// A process's own folder for local state, gone when the process ends, and swept up by the next one
// when it was killed.
#pragma once

#include <memory>
#include <string>

#include "runtime/types/result.h"

namespace watershed {

class TemporaryDirectory {
 public:
  // Makes PARENT/watershed-NAME and holds a lock in it; folders of the same kind that nobody locks
  // any more are removed. An external error names what could not be made.
  static Result<std::unique_ptr<TemporaryDirectory>> Make(const std::string& parent,
                                                          const std::string& name);
  ~TemporaryDirectory();  // removes it with all that is in it
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  TemporaryDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  const std::string path_;
  const int lock_;
};

}  // namespace watershed
