// Runs wsctl's command line in the test's process and keeps what it said.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "wsctl/command_line.h"

namespace watershed {

struct CommandResult {
  int code = -1;
  std::string out;
  std::string err;
};

inline constexpr int64_t kTestNowMs = 1'795'257'100'000;  // 2026-11-21T10:31:40Z

class TestClock : public Clock {
 public:
  int64_t NowMs() const override { return kTestNowMs; }
  std::chrono::nanoseconds Steady() const override { return SystemClock().Steady(); }
};

// Runs with the context as given, but for console and clock.
inline CommandResult RunWsctl(const std::vector<std::string>& arguments,
                              CommandContext context = {}) {
  static const TestClock clock;
  std::ostringstream out, err;
  context.console.out = &out;
  context.console.err = &err;
  context.clock = &clock;
  int code = RunCommandLine(arguments, std::move(context));
  return {code, out.str(), err.str()};
}

}  // namespace watershed
