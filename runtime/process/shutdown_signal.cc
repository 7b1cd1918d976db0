#include "runtime/process/shutdown_signal.h"

#include <pthread.h>
#include <unistd.h>

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

int ShutdownSignal::Wait() {
  const sigset_t set = ShutdownSignals();
  int signal = 0;
  sigwait(&set, &signal);
  std::thread([set] {
    int second = 0;
    sigwait(&set, &second);
    ::_exit(128 + second);
  }).detach();
  return signal;
}

}  // namespace watershed
