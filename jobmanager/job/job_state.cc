#include "jobmanager/job/job_state.h"

#include <algorithm>
#include <initializer_list>

#include "runtime/status/job_status.h"

namespace watershed {
namespace {

struct Transitions {
  v1::JobState from;
  std::initializer_list<v1::JobState> to;
};

// As in Flink's JobStatus. FINISHED, CANCELED and FAILED are final.
constexpr Transitions kTable[] = {
    {v1::CREATED, {v1::RUNNING, v1::FAILING, v1::CANCELLING, v1::SUSPENDED}},
    {v1::RUNNING, {v1::FINISHED, v1::FAILING, v1::CANCELLING, v1::RESTARTING, v1::SUSPENDED}},
    {v1::FAILING, {v1::FAILED, v1::CANCELLING, v1::RESTARTING, v1::SUSPENDED}},
    {v1::CANCELLING, {v1::CANCELED, v1::FAILING, v1::SUSPENDED}},
    {v1::RESTARTING, {v1::CREATED, v1::RUNNING, v1::FAILING, v1::CANCELLING, v1::SUSPENDED}},
    {v1::SUSPENDED, {v1::RECONCILING}},
    {v1::RECONCILING, {v1::CREATED, v1::RUNNING, v1::FAILING, v1::CANCELLING, v1::SUSPENDED}},
};

}  // namespace

bool CanTransition(v1::JobState from, v1::JobState to) {
  for (const Transitions& row : kTable) {
    if (row.from == from) return std::find(row.to.begin(), row.to.end(), to) != row.to.end();
  }
  return false;
}

JobStateMachine::JobStateMachine(int64_t now_ms) : JobStateMachine(v1::CREATED, now_ms, now_ms) {}

JobStateMachine::JobStateMachine(v1::JobState state, int64_t created_ms, int64_t now_ms)
    : state_(state) {
  entered_ms_.fill(-1);
  entered_ms_[v1::CREATED] = created_ms;
  entered_ms_[static_cast<size_t>(state)] = now_ms;
}

Status JobStateMachine::Enter(v1::JobState next, int64_t now_ms) {
  if (!CanTransition(state_, next)) {
    return InternalError("a job cannot go from {} to {}", NameOf(state_), NameOf(next));
  }
  state_ = next;
  entered_ms_[static_cast<size_t>(next)] = now_ms;
  return Ok();
}

}  // namespace watershed
