#include "runtime/process/shutdown_signal.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

namespace watershed {
namespace {

sigset_t ShutdownSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

ShutdownSignal::ShutdownSignal() {
  const sigset_t set = ShutdownSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  // A file above the limit is an error of the write that goes beyond it.
  std::signal(SIGXFSZ, SIG_IGN);
}

bool ShutdownSignal::StaysAway(std::chrono::milliseconds time) {
  const sigset_t set = ShutdownSignals();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const timespec timeout{.tv_sec = seconds.count(),
                         .tv_nsec = std::chrono::nanoseconds(time - seconds).count()};
  if (came_ == 0) came_ = std::max(sigtimedwait(&set, nullptr, &timeout), 0);
  return came_ == 0;
}

int ShutdownSignal::Wait() {
  const sigset_t set = ShutdownSignals();
  int signal = came_;
  if (signal == 0) sigwait(&set, &signal);
  std::thread([set] {
    int second = 0;
    sigwait(&set, &second);
    ::_exit(128 + second);
  }).detach();
  return signal;
}

}  // namespace watershed
