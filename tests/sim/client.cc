#include "tests/sim/client.h"

#include <algorithm>
#include <cstdlib>

#include "runtime/job/compile.h"
#include "tests/sim/job_manager.h"
#include "tests/sim/observer.h"

namespace watershed::sim {
namespace {

bool IsEnd(v1::JobState state) {
  return state == v1::FINISHED || state == v1::FAILED || state == v1::CANCELED;
}

// The checkpoints that are shown are looked at less often: ten of them are.
constexpr int kGlancesBetweenLooks = 10;

// How often, in thousandths, a job that runs is stopped at a glance.
constexpr int kStopInGlance = 40;

// Before it is cancelled to go on at another parallelism.
constexpr int64_t kCheckpointsBefore = 2;

}  // namespace

Client::Client(const Scenario& scenario, Cluster* cluster)
    : scenario_(scenario),
      cluster_(cluster),
      second_wanted_(scenario.second_parallelism > 0),
      stopping_(cluster),
      stops_left_(scenario.stops) {}

void Client::Glance() {
  JobManager* const to = cluster_->job_manager();
  if (to != nullptr && to->process()->frozen()) return;
  if (to == nullptr) {
    asked_ = nullptr;  // whether it had been heard is seen from the jobs of the next
    return;
  }
  const std::vector<v1::JobSummary> jobs = to->dispatcher().Summaries(/*include_ended=*/true);
  if (jobs.empty()) {
    // A new leader shows its jobs once it leads; before the first submission there are none.
    if (job_.empty()) Submit(*to, scenario_.parallelism, "");
    return;
  }
  if (job_ != jobs.front().job_id()) {
    second_ = !job_.empty() && second_wanted_;
    if (!stopped_.empty() && job_ == stopped_) --stops_left_;
    job_ = jobs.front().job_id();
  }
  if (++glances_ % kGlancesBetweenLooks == 0) {
    if (const auto details = to->dispatcher().Details(job_)) {
      cluster_->observer().OnStatistics(details->checkpoints());
    }
  }
  state_ = v1::JobState_Name(jobs.front().state());
  reason_ = jobs.front().status_reason();
  const bool has_ended = IsEnd(jobs.front().state());
  if (StopOrResubmit(*to, jobs.front().state())) return;
  if (second_wanted_ && !second_ && (has_ended || !cluster_->observer().last_path().empty())) {
    if (has_ended && jobs.front().state() != v1::CANCELED) {
      ended_ = true;
    } else if (has_ended) {
      Submit(*to, scenario_.second_parallelism, cluster_->observer().last_path());
    } else if (cluster_->observer().completed() >= kCheckpointsBefore) {
      to->dispatcher().Cancel(job_);
    }
    return;
  }
  ended_ = has_ended;
}

bool Client::StopOrResubmit(JobManager& to, v1::JobState state) {
  if (!stopped_.empty() && stopped_ == job_ && stops_left_ > 0) {
    Random& random = cluster_->schedule().random();
    const int most = scenario_.cluster.slots * scenario_.cluster.task_managers;
    Submit(to, static_cast<int>(random.Between(1, std::min(4, most))), stopping_.path());
    return true;
  }
  if (stopping_.active()) {
    const Stopping::Outcome outcome = stopping_.Look(to, state);
    if (outcome == Stopping::Outcome::kOpen) return true;
    const bool is_completed = outcome == Stopping::Outcome::kCompleted;
    ++(is_completed ? stops_ : failed_stops_);
    if (!is_completed) return IsEnd(state) ? false : true;
    if (stopping_.drain()) return false;
    stopping_.JudgeRowsOfStop(scenario_);
    stopped_ = job_;
    return true;
  }
  if (state != v1::RUNNING) return false;
  Random& random = cluster_->schedule().random();
  const bool wants_stop = stops_left_ > 0 && !cluster_->observer().last_path().empty();
  if (drain_wanted_ || (wants_stop && random.Chance(kStopInGlance))) {
    stopping_.Begin(job_, drain_wanted_);
    if (on_stop) on_stop();
    return true;
  }
  if (scenario_.savepoints) stopping_.TakeSavepoint(to, job_);
  return false;
}

void Client::Submit(JobManager& to, int parallelism, const std::string& restore_path) {
  if (asked_ == &to) return;
  asked_ = &to;
  CompileResult compiled = CompileJobFile(scenario_.job, {});
  if (!compiled.ok()) {
    fmt::print(stderr, "{}\n{}\n", scenario_.job, ToString(compiled.diagnostics));
    std::abort();
  }
  v1::SubmitJobRequest request;
  *request.mutable_graph() = std::move(*compiled.graph);
  request.mutable_graph()->set_parallelism(parallelism);
  request.set_restore_path(restore_path);
  to.executor().Post([this, &to, request] {
    to.dispatcher().Submit(request, [this](const Result<JobId>& id) {
      asked_ = nullptr;
      if (id) return;
      reason_ = id.error().message;
      if (!id.error().retryable && !stopped_.empty()) {
        cluster_->observer().Violate("savepoint-unusable", reason_);
      }
    });
  });
}

}  // namespace watershed::sim
