#include "tests/sim/stopping.h"

#include <fmt/format.h>

#include <utility>

#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/job/plan_lookup.h"
#include "tests/sim/job_manager.h"
#include "tests/sim/judge.h"
#include "tests/sim/observer.h"

namespace watershed::sim {
namespace {

size_t PositionIn(const v1::CheckpointManifest& manifest, const std::string& source,
                  const std::string& split_id) {
  for (const v1::SubtaskSnapshot& subtask : manifest.subtasks()) {
    const v1::Vertex* vertex = FindVertex(manifest.plan(), subtask.vertex_id());
    if (vertex == nullptr || vertex->nodes(0).id() != source) continue;
    for (const v1::SplitSnapshot& split : subtask.splits()) {
      if (split.split_id() == split_id) return static_cast<size_t>(split.next_position());
    }
  }
  return 0;
}

}  // namespace

void Stopping::Begin(const std::string& job, bool drain) {
  job_ = job;
  drain_ = drain;
  operation_ = fmt::format("stop{}", ++operations_);
  asked_ = 0;
  acknowledged_ = false;
}

void Stopping::Ask(JobManager& to) {
  asked_ = to.number();
  v1::StopWithSavepointRequest request;
  request.set_job_id(job_);
  request.set_directory(kDirectory);
  request.set_operation_id(operation_);
  request.set_drain(drain_);
  to.executor().Post([this, &to, request] {
    to.dispatcher().StopWithSavepoint(
        request, [this, operation = operation_](const Result<std::string>& asked) {
          if (operation != operation_) return;
          acknowledged_ |= asked.has_value();
          if (!asked) asked_ = 0;
        });
  });
}

Stopping::Outcome Stopping::Look(JobManager& to, v1::JobState state) {
  Observer& observer = cluster_->observer();
  v1::GetOperationRequest get;
  get.set_job_id(job_);
  get.set_operation_id(operation_);
  const Result<v1::Operation> operation = to.dispatcher().FindOperation(get);
  if (!operation) {
    if (acknowledged_) observer.Violate("stop-forgotten", operation.error().message);
    if (!acknowledged_ && asked_ != to.number()) Ask(to);
    return Outcome::kOpen;
  }
  const bool is_completed = operation->status() == v1::Operation::OPERATION_COMPLETED;
  if (is_completed != (state == v1::FINISHED)) {
    observer.Violate("stop-outcome",
                     fmt::format("the job is {}, its stop is {}", v1::JobState_Name(state),
                                 v1::Operation::Status_Name(operation->status())));
  }
  if (operation->status() == v1::Operation::OPERATION_IN_PROGRESS) return Outcome::kOpen;
  operation_.clear();
  if (!is_completed) return Outcome::kFailed;
  path_ = operation->path();
  savepoints_.push_back(path_);
  return Outcome::kCompleted;
}

void Stopping::TakeSavepoint(JobManager& to, const std::string& job) {
  if (!savepoint_operation_.empty()) {
    v1::GetOperationRequest get;
    get.set_job_id(savepoint_job_);
    get.set_operation_id(savepoint_operation_);
    const Result<v1::Operation> operation = to.dispatcher().FindOperation(get);
    if (operation && operation->status() == v1::Operation::OPERATION_IN_PROGRESS) return;
    if (operation && operation->status() == v1::Operation::OPERATION_COMPLETED) {
      savepoints_.push_back(operation->path());
    }
    savepoint_operation_.clear();
    return;
  }
  if (!cluster_->schedule().random().Chance(50)) return;
  savepoint_job_ = job;
  savepoint_operation_ = fmt::format("savepoint{}", ++operations_);
  v1::TriggerSavepointRequest request;
  request.set_job_id(job);
  request.set_directory(kDirectory);
  request.set_operation_id(savepoint_operation_);
  to.dispatcher().TriggerSavepoint(request, [](const Result<std::string>&) {});
}

bool Stopping::Read(const std::string& path, v1::CheckpointManifest* out) {
  const auto bytes = cluster_->Peek(path, SavepointManifestName());
  if (!bytes) return false;
  Result<v1::CheckpointManifest> manifest = DecodeManifest(*bytes);
  if (manifest) *out = *std::move(manifest);
  return out->checkpoint_id() > 0;
}

void Stopping::JudgeSavepoints() {
  for (const std::string& path : savepoints_) {
    v1::CheckpointManifest manifest;
    if (!Read(path, &manifest)) {
      cluster_->observer().Violate("savepoint-lost", path + " cannot be read");
    }
    for (const v1::SubtaskSnapshot& part : manifest.subtasks()) {
      ForEachFile(part, [&](const std::string&, const v1::FileRef& file) {
        const auto bytes = cluster_->Peek(path, file.name());
        if (bytes && std::cmp_equal(bytes->size(), file.size_bytes())) return;
        cluster_->observer().Violate("savepoint-lost", path + " has no " + file.name());
      });
    }
  }
}

Scenario Stopping::UpToStop(const Scenario& scenario) {
  v1::CheckpointManifest manifest;
  if (!Read(path_, &manifest)) cluster_->observer().Violate("savepoint-lost", path_);
  if (manifest.drained() != drain_) {
    cluster_->observer().Violate("stop-outcome", "it is not said whether it was drained");
  }
  Scenario part = scenario;
  for (const Pipeline& pipeline : scenario.pipelines) {
    Splits& read = part.read[pipeline.source] = scenario.splits;
    for (auto& [id, rows] : read) rows.resize(PositionIn(manifest, pipeline.source, id));
  }
  return part;
}

void Stopping::JudgeRowsOfStop(const Scenario& scenario) {
  JudgeRows(UpToStop(scenario), cluster_->outside(), cluster_->observer());
}

}  // namespace watershed::sim
