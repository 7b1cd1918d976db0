#include "runtime/types/kill_point.h"

#ifdef WATERSHED_INJECTION_POINTS

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace watershed {
namespace {

// In the order of the enumeration. tests/faults reads them here.
constexpr std::array<std::string_view, 25> kNames = {
    "barrier.triggered", "barrier.waits",   "barrier.aligned", "snapshot.taken",
    "file.writes",       "file.commits",    "file.durable",    "snapshot.answers",
    "checkpoint.heard",  "commit.begins",   "commit.locked",   "commit.written",
    "commit.done",       "commit.confirms", "recovery.opens",  "recovery.fenced",
    "recovery.done",     "state.restores",  "trigger.sent",    "manifest.puts",
    "manifest.durable",  "entry.puts",      "entry.durable",   "checkpoint.tells",
    "attempt.deploys",
};

struct Appointment {
  size_t point = kNames.size();  // none
  int64_t passes = 1;
};

Appointment ReadAppointment() {
  Appointment appointment;
  const char* text = std::getenv("WATERSHED_KILL_AT");
  if (text == nullptr || *text == '\0') return appointment;
  std::string name = text;
  if (const size_t colon = name.find(':'); colon != std::string::npos) {
    appointment.passes = std::atoll(name.c_str() + colon + 1);
    name.resize(colon);
  }
  for (appointment.point = 0; appointment.point < kNames.size(); ++appointment.point) {
    if (kNames[appointment.point] == name) return appointment;
  }
  std::fprintf(stderr, "WATERSHED_KILL_AT: no kill point is called '%s'\n", name.c_str());
  std::abort();
}

}  // namespace

void Pass(KillPoint point) {
  static const Appointment kAppointment = ReadAppointment();
  static std::atomic<int64_t> passes{0};
  if (static_cast<size_t>(point) != kAppointment.point) return;
  if (++passes == kAppointment.passes) std::raise(SIGKILL);
}

}  // namespace watershed

#endif
