// The log added up, entry by entry. Pure: a leader that writes and one that reads come to the same.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "runtime/types/result.h"
#include "watershed/v1/store.pb.h"

namespace watershed {

inline constexpr uint32_t kLogEntryVersion = 1;
// Jobs that have ended and are still listed; of more, the ones that ended first are dropped, and
// counted. Their checkpoints stay where they are: they are the user's.
inline constexpr int kMaxEndedJobs = 100;

// Adds what `entry` says. An error says why it cannot follow what was before (another format, a
// leader epoch that goes back, a job that is not there) and leaves `state` as it was.
Status Apply(v1::StoredState& state, const v1::LogEntry& entry);

// Sorts jobs that have ended by which ended first. Not by time alone: wall clocks are set, and
// those of two JobManagers differ.
inline std::pair<int64_t, int64_t> EndOrder(const v1::StoredJob& job) {
  return {job.end_number(), job.end_time_ms()};  // without a number: of a log that had none yet
}

// How many numbers of its job's counter an attempt takes, the last being its own.
int32_t NumbersTaken(const v1::AttemptEntry& entry);

// The job, or nullptr.
v1::StoredJob* FindStoredJob(v1::StoredState& state, const std::string& job_id);

}  // namespace watershed
