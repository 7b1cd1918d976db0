#include "tests/sim/client.h"

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

// Before it is cancelled to go on at another parallelism.
constexpr int64_t kCheckpointsBefore = 2;

}  // namespace

Client::Client(const Scenario& scenario, Cluster* cluster)
    : scenario_(scenario), cluster_(cluster), second_wanted_(scenario.second_parallelism > 0) {}

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
    second_ = !job_.empty();
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
      if (!id) reason_ = id.error().message;
    });
  });
}

}  // namespace watershed::sim
