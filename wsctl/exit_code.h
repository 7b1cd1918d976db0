// What wsctl tells scripts.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "runtime/types/result.h"

namespace watershed {

enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,       // the job failed, there is no such job, the JobManager refused
  kUsage = 2,        // wrong usage, or a wrong or unreadable file
  kTimedOut = 3,     // --timeout passed; for `run`: the job was cancelled because of it
  kUnreachable = 4,  // no JobManager answers at the address
  kReaderGone =
      141,  // of standard output (`| head`): what shells say of a process ended by SIGPIPE
};

// Why a command ends with another code than 0. `message` may be empty when all has been said.
struct Failure {
  ExitCode code = ExitCode::kFailed;
  std::string message;
};

template <typename T>
using Outcome = tl::expected<T, Failure>;

inline tl::unexpected<Failure> Fail(ExitCode code, std::string message) {
  return tl::make_unexpected(Failure{code, std::move(message)});
}

// A user error is about what was typed or the file: 2. All else: 1.
inline tl::unexpected<Failure> Fail(const Error& error) {
  return Fail(error.domain == ErrorDomain::kUser ? ExitCode::kUsage : ExitCode::kFailed,
              error.message);
}

}  // namespace watershed
