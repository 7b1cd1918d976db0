// The one table of legal job transitions, with Flink's names (runtime/status names them).
#pragma once

#include <array>
#include <cstdint>

#include "runtime/types/result.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

bool CanTransition(v1::JobState from, v1::JobState to);

// The state of one job and when each was entered. A transition that the table does not allow
// changes nothing and is an internal error, which callers must look at.
class JobStateMachine {
 public:
  explicit JobStateMachine(int64_t now_ms);  // CREATED
  // Of a job that an earlier JobManager knew, created at `created_ms`.
  JobStateMachine(v1::JobState state, int64_t created_ms, int64_t now_ms);
  v1::JobState state() const { return state_; }
  [[nodiscard]] Status Enter(v1::JobState next, int64_t now_ms);
  // By state; -1 = never entered. A state entered twice has its last time.
  int64_t entered_ms(v1::JobState state) const { return entered_ms_[static_cast<size_t>(state)]; }

 private:
  v1::JobState state_ = v1::CREATED;
  std::array<int64_t, v1::JobState_ARRAYSIZE> entered_ms_;
};

}  // namespace watershed
