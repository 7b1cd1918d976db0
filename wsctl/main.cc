// wsctl: see command_line.h. Here is only what touches the process: environment, terminal, signals.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "wsctl/command_line.h"
#include "wsctl/doctor/world.h"
#include "wsctl/local_engine.h"

namespace watershed {
namespace {

std::atomic<int> interrupts{0};
static_assert(std::atomic<int>::is_always_lock_free, "written by a signal handler");

void OnInterrupt(int) { interrupts.fetch_add(1, std::memory_order_relaxed); }

// The first signal is counted; SA_RESETHAND gives the second its usual effect.
const std::atomic<int>& WatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = SA_RESETHAND;
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  // `wsctl run … | head`: the print sink's write fails, and the job ends in order.
  ::signal(SIGPIPE, SIG_IGN);
  return interrupts;
}

// A pipe or socket whose other end is closed.
bool ReaderHasGone() {
  pollfd out{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

Variables Environment() {
  Variables variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text(*entry);
    size_t equals = text.find('=');
    if (equals != text.npos) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace
}  // namespace watershed

int main(int argc, char** argv) {
  // gRPC logs connection errors by itself; wsctl says them in its own words.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  watershed::CommandContext context;
  context.console = {.out = &std::cout,
                     .err = &std::cerr,
                     .out_is_terminal = isatty(STDOUT_FILENO) != 0,
                     .err_is_terminal = isatty(STDERR_FILENO) != 0,
                     .reader_has_gone = watershed::ReaderHasGone};
  context.environment = watershed::Environment();
  context.clock = &watershed::SystemClock();
  context.local_engine = watershed::MakeLocalJob;
  context.examine = watershed::ExamineWorld;
  context.watch_interrupts = watershed::WatchInterrupts;
  std::vector<std::string> arguments(argv + 1, argv + argc);
  return watershed::RunCommandLine(arguments, std::move(context));
}
