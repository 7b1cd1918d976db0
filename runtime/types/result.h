// Errors as values. A function that can fail returns Status or Result<T>; exceptions of third-party
// libraries are caught where the library is called and become an Error there.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace watershed {

// Who has to act. It decides the exit code of wsctl and whether a stack trace could ever help.
enum class ErrorDomain : uint8_t {
  kUser,      // the job file, an option, a table that does not fit: the message says what to change
  kExternal,  // broker, database, disk, network: may heal
  kInternal,  // a bug of ours
};

// An error names operator, subtask, topic/partition/offset or file:line:column, and what to do
// next.
struct Error {
  ErrorDomain domain = ErrorDomain::kInternal;
  bool retryable = false;  // trying the same again may succeed
  std::string message;
  // A stored file that is gone or has other contents than were written: whoever names it has to do
  // without. Empty: it is about none.
  std::string damaged_file = {};

  // Prefixes the message with where it happened: "sink 'sessions' subtask 2: …".
  Error Within(const std::string& where) && {
    message = where + ": " + message;
    return std::move(*this);
  }
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = tl::expected<void, Error>;

inline Status Ok() { return {}; }

template <typename... Args>
tl::unexpected<Error> UserError(fmt::format_string<Args...> format, Args&&... args) {
  return tl::make_unexpected(
      Error{ErrorDomain::kUser, false, fmt::format(format, std::forward<Args>(args)...)});
}
// An outside system refused for good (no such table, wrong password).
template <typename... Args>
tl::unexpected<Error> ExternalError(fmt::format_string<Args...> format, Args&&... args) {
  return tl::make_unexpected(
      Error{ErrorDomain::kExternal, false, fmt::format(format, std::forward<Args>(args)...)});
}
// An outside system is away for now.
template <typename... Args>
tl::unexpected<Error> TransientError(fmt::format_string<Args...> format, Args&&... args) {
  return tl::make_unexpected(
      Error{ErrorDomain::kExternal, true, fmt::format(format, std::forward<Args>(args)...)});
}
// For good: see Error::damaged_file.
inline tl::unexpected<Error> DamagedFile(std::string_view name, std::string message) {
  return tl::make_unexpected(
      Error{ErrorDomain::kExternal, false, std::move(message), std::string(name)});
}
template <typename... Args>
tl::unexpected<Error> InternalError(fmt::format_string<Args...> format, Args&&... args) {
  return tl::make_unexpected(
      Error{ErrorDomain::kInternal, false, fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace watershed

#define WS_CONCAT_INNER(a, b) a##b
#define WS_CONCAT(a, b) WS_CONCAT_INNER(a, b)

// Returns the error of a Status or Result to the caller.
#define WS_RETURN_IF_ERROR(expression)                                        \
  do {                                                                        \
    auto ws_status = (expression);                                            \
    if (!ws_status) return tl::make_unexpected(std::move(ws_status).error()); \
  } while (false)

// WS_ASSIGN_OR_RETURN(auto value, ComputeResult()): binds the value or returns the error.
#define WS_ASSIGN_OR_RETURN(declaration, expression)                                \
  auto WS_CONCAT(ws_result_, __LINE__) = (expression);                              \
  if (!WS_CONCAT(ws_result_, __LINE__))                                             \
    return tl::make_unexpected(std::move(WS_CONCAT(ws_result_, __LINE__)).error()); \
  declaration = std::move(WS_CONCAT(ws_result_, __LINE__)).value()
