// What is read from outside, each as a function of bytes that anybody may have sent or damaged.
// None of them may crash, hang, or take memory out of proportion; what else must hold is checked in
// each (a failure ends the process).
#pragma once

#include <array>
#include <string_view>

namespace watershed::fuzz {

void JobFile(std::string_view bytes);     // as wsctl compiles and plans it
void JsonEvents(std::string_view bytes);  // payloads, one a line
void DataFrame(std::string_view bytes);   // of an exchange: a frame, or several after their lengths
void Manifest(std::string_view bytes);    // of a checkpoint, and the segments of a Kafka sink
void LogEntry(std::string_view bytes);    // of the JobManager's log: frame, entry, state
void RestRequest(std::string_view bytes);  // METHOD TARGET, a newline, the body

struct Target {
  std::string_view name;  // of the folder in corpus/
  void (*run)(std::string_view bytes);
};
inline constexpr std::array<Target, 6> kTargets = {{{"job_file", JobFile},
                                                    {"json_events", JsonEvents},
                                                    {"data_frame", DataFrame},
                                                    {"manifest", Manifest},
                                                    {"log_entry", LogEntry},
                                                    {"rest_request", RestRequest}}};

// Ends the process, so that both libFuzzer and a test see it.
inline void Must(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace watershed::fuzz
