// Entries of the JobManager's log as tests write them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jobmanager/store/stored_state.h"
#include "watershed/v1/store.pb.h"

namespace watershed {

inline v1::LogEntry Submission(const std::string& job_id) {
  v1::LogEntry entry;
  entry.mutable_submission()->set_job_id(job_id);
  entry.mutable_submission()->mutable_graph()->set_name("job " + job_id);
  return entry;
}
inline v1::LogEntry AttemptOf(const std::string& job_id, int32_t attempt) {
  v1::LogEntry entry;
  entry.mutable_attempt()->set_job_id(job_id);
  entry.mutable_attempt()->set_attempt(attempt);
  return entry;
}
// Of these regions alone.
inline v1::LogEntry RestartOf(const std::string& job_id, int32_t attempt,
                              const std::vector<int32_t>& regions) {
  v1::LogEntry entry = AttemptOf(job_id, attempt);
  for (const int32_t region : regions) entry.mutable_attempt()->add_restarted(region);
  return entry;
}
inline v1::LogEntry Checkpoint(const std::string& job_id, int64_t id,
                               const std::vector<int64_t>& subsumed = {}) {
  v1::LogEntry entry;
  entry.mutable_checkpoint()->set_job_id(job_id);
  entry.mutable_checkpoint()->mutable_checkpoint()->set_checkpoint_id(id);
  for (const int64_t gone : subsumed) entry.mutable_checkpoint()->add_subsumed(gone);
  return entry;
}
inline v1::LogEntry Cancel(const std::string& job_id) {
  v1::LogEntry entry;
  entry.mutable_cancel()->set_job_id(job_id);
  return entry;
}
inline v1::LogEntry Finished(const std::string& job_id, int32_t attempt, int32_t subtask) {
  v1::LogEntry entry;
  entry.mutable_tasks_finished()->set_job_id(job_id);
  entry.mutable_tasks_finished()->set_attempt(attempt);
  entry.mutable_tasks_finished()->add_tasks()->set_subtask(subtask);
  return entry;
}
inline v1::LogEntry End(const std::string& job_id) {
  v1::LogEntry entry;
  entry.mutable_job_end()->set_job_id(job_id);
  entry.mutable_job_end()->set_reason("because");
  return entry;
}

}  // namespace watershed
