#include <string>

#include "jobmanager/store/log_frame.h"
#include "jobmanager/store/stored_state.h"
#include "tests/fuzz/targets.h"

namespace watershed::fuzz {
namespace {

// A job that has run for a while.
v1::StoredState SomeState() {
  v1::StoredState state;
  state.set_leader_epoch(3);
  v1::StoredJob* job = state.add_jobs();
  job->mutable_submission()->set_job_id("a");
  job->set_attempt(2);
  job->add_checkpoints()->set_checkpoint_id(7);
  return state;
}

}  // namespace

void LogEntry(std::string_view bytes) {
  (void)DecodeLogFrame(bytes);
  v1::LogEntry entry;
  if (!entry.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  // Its payload is checked by the frame, so this is what another version may have written. One that
  // is refused leaves the state as it was.
  for (const v1::StoredState& before : {v1::StoredState(), SomeState()}) {
    v1::StoredState state = before;
    if (!Apply(state, entry)) Must(state.SerializeAsString() == before.SerializeAsString());
  }
  // And behind a frame of ours.
  LogFrame frame{.number = 1, .payload = std::string(bytes)};
  const std::string encoded = EncodeLogFrame(frame);
  Must(DecodeLogFrame(encoded).has_value());
}

}  // namespace watershed::fuzz
