// What a failed file operation means for whoever reads it, and what to do about it.
#pragma once

#include <string>
#include <string_view>

#include "runtime/types/result.h"

namespace watershed {

// "cannot write '/mnt/checkpoints/x': No space left on device; free space there, or …". External;
// retryable unless only a person can help (permission, a read-only file system, a name in the way).
tl::unexpected<Error> FileError(int error_number, std::string_view doing, const std::string& path);

}  // namespace watershed
