#include "jobmanager/job/job_checkpoints.h"

#include <algorithm>

#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/logging/log.h"
#include "runtime/types/key_encoding.h"
#include "runtime/types/kill_point.h"
#include "runtime/types/planted_bug.h"

namespace watershed {

JobCheckpoints::JobCheckpoints(CheckpointedJob* job, const v1::StoredJob& stored,
                               const JobServices& services, const CheckpointSettings& settings,
                               CheckpointId used)
    : job_(job),
      id_{stored.submission().job_id()},
      services_(services),
      settings_(settings),
      manifests_(std::make_shared<ManifestStore>(JoinUri(services.checkpoint_directory, id_.hex),
                                                 services.open_storage, services.io,
                                                 services.executor)),
      collector_([manifests = manifests_] { return manifests->Storage(); }, services.io),
      history_(manifests_->directory(), settings),
      retained_(stored.checkpoints().begin(), stored.checkpoints().end()),
      next_{used.value + 1} {
  history_.OnRecovered(stored.counts());
  for (const v1::CheckpointRef& checkpoint : retained_) history_.OnFound(checkpoint);
}

void JobCheckpoints::StartAttempt(Attempt newest, Attempt oldest,
                                  const std::map<SubtaskKey, std::string>& subtasks) {
  ++generation_;
  attempt_ = newest;
  coordinator_.emplace(settings_, subtasks, retained_, next_, &history_);
  collector_.OnAttempt(oldest, retained_);
}

void JobCheckpoints::OnRegionsFailed(const std::string& reason) {
  if (!coordinator_) return;
  coordinator_->OnRegionsFailed(reason, services_.now());
  Pump();
}

void JobCheckpoints::OnRegionsBegin(Attempt newest, Attempt oldest,
                                    const std::set<SubtaskKey>& subtasks) {
  if (!coordinator_) return;
  attempt_ = newest;
  coordinator_->OnRegionsBegin(subtasks);
  const bool forgets_others = IsPlanted(PlantedBug::kSurvivorsFilesDeleted);
  collector_.OnAttempt(forgets_others ? newest : oldest, retained_);
}

void JobCheckpoints::StopAttempt(const std::string& reason) {
  if (!coordinator_) return;
  ++generation_;
  next_ = coordinator_->next_id();
  coordinator_->OnStopped(reason, services_.now());
  coordinator_.reset();
  services_.executor->CancelTimer(std::exchange(timer_, 0));
}

void JobCheckpoints::OnRunning() {
  if (!coordinator_) return;
  coordinator_->OnRunning(services_.now());
  Pump();
}

void JobCheckpoints::OnAdopted(const std::vector<v1::SubtaskSnapshot>& last, bool is_stopped) {
  if (!coordinator_) return;
  coordinator_->OnAdopted(services_.now(), last, is_stopped);
  Pump();
}

void JobCheckpoints::Request(CheckpointRequest request) {
  if (!coordinator_) return;
  coordinator_->Request(std::move(request));
  Pump();
}

void JobCheckpoints::OnEnded(const SubtaskKey& subtask) {
  if (!coordinator_) return;
  coordinator_->OnEnded(subtask);
  Pump();
}

void JobCheckpoints::OnFinished(const SubtaskKey& subtask) {
  if (!coordinator_) return;
  coordinator_->OnFinished(subtask, services_.now());
  Pump();
}

void JobCheckpoints::OnReport(const v1::ReportCheckpointRequest& report) {
  if (!coordinator_) return;
  const CheckpointId checkpoint{report.checkpoint_id()};
  const SubtaskKey subtask(report.vertex_id(), report.subtask());
  switch (report.kind_case()) {
    case v1::ReportCheckpointRequest::kAcknowledged:
      coordinator_->OnAcknowledged(checkpoint, subtask, report.acknowledged(), services_.now());
      break;
    case v1::ReportCheckpointRequest::kDeclined:
      coordinator_->OnDeclined(checkpoint, subtask, report.declined(), services_.now());
      break;
    case v1::ReportCheckpointRequest::kConfirmed:
      coordinator_->OnConfirmed(checkpoint, subtask);
      break;
    default:
      return;
  }
  Pump();
}

void JobCheckpoints::OnRestored(const RestorePoint& point) {
  for (const std::string& damage : point.damaged) {
    LogWarn("{}; going back to checkpoint {}", damage, point.checkpoint.ref.checkpoint_id());
    history_.OnDamaged(damage);
  }
  history_.OnRestored(point.checkpoint.ref, point.checkpoint.directory, services_.clock->NowMs());
  job_->OnCheckpointsShown();
}

void JobCheckpoints::Pump() {
  const uint64_t generation = generation_;
  std::vector<CheckpointCoordinator::Action> actions = coordinator_->Next(services_.now());
  for (CheckpointCoordinator::Action& action : actions) {
    std::visit([this](auto& what) { Perform(what); }, action);
    if (generation != generation_) return;  // the job has failed over it
  }
  SetTimer();
  job_->OnCheckpointsShown();
}

void JobCheckpoints::SetTimer() {
  if (timer_ != 0) services_.executor->CancelTimer(std::exchange(timer_, 0));
  const auto next = coordinator_->next_time();
  if (!next) return;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - services_.now().steady);
  timer_ = services_.executor->PostAfter(
      std::max(wait, std::chrono::milliseconds(0)),
      [weak = weak_from_this(), generation = generation_] {
        const auto self = weak.lock();
        if (self == nullptr || generation != self->generation_) return;
        self->timer_ = 0;
        const ScopedLogFields fields({.job = self->id_.hex, .attempt = self->attempt_.value});
        self->Pump();
      });
}

void JobCheckpoints::Perform(const CheckpointCoordinator::Trigger& trigger) {
  v1::TriggerCheckpointRequest request;
  request.set_leader_epoch(services_.leader_epoch.value);
  request.set_job_id(id_.hex);
  request.set_checkpoint_id(trigger.checkpoint.value);
  request.set_trigger_time_ms(services_.clock->NowMs());
  request.set_is_savepoint(trigger.is_savepoint);
  request.set_stop(trigger.stop);
  for (const auto& [id, attempt, gateway] : job_->TasksInUse()) {
    request.set_attempt(attempt.value);
    gateway->TriggerCheckpoint(
        request, [executor = services_.executor, weak = weak_from_this(), generation = generation_,
                  checkpoint = trigger.checkpoint, id = id](const Status& status) {
          if (status) return;
          executor->Post([weak, generation, checkpoint, id, error = status.error()] {
            const auto self = weak.lock();
            if (self == nullptr || generation != self->generation_) return;
            self->coordinator_->OnTriggerFailed(
                checkpoint,
                fmt::format("TaskManager {} could not be told of it: {}", id, error.message),
                self->services_.now());
            self->Pump();
          });
        });
  }
  Pass(KillPoint::kTriggerIsSent);
}

void JobCheckpoints::Perform(CheckpointCoordinator::Store& store) {
  if (IsPlanted(PlantedBug::kCommitBeforeDurable)) {
    Perform(CheckpointCoordinator::Notify{.completed = store.checkpoint, .aborted = {}});
  }
  v1::CheckpointManifest manifest;
  manifest.set_format_version(kManifestVersion);
  manifest.set_key_encoding_version(kKeyEncodingVersion);
  manifest.set_checkpoint_id(store.checkpoint.value);
  manifest.set_attempt(attempt_.value);
  manifest.set_leader_epoch(services_.leader_epoch.value);
  manifest.set_trigger_time_ms(store.triggered.wall_ms);
  manifest.set_completed_time_ms(store.triggered.After(services_.now()));
  for (v1::SubtaskSnapshot& part : store.subtasks) {
    // Of those that have finished: what they said last.
    history_.OnPart(store.checkpoint, part, store.triggered.wall_ms);
    *manifest.add_subtasks() = std::move(part);
  }
  store.subtasks.clear();
  job_->Describe(manifest);
  std::string savepoint;
  if (store.request) {
    const CheckpointRequest& request = *store.request;
    manifest.set_drained(request.stop == v1::DRAIN);
    if (request.is_savepoint()) {
      savepoint =
          SavepointPath(request.savepoint_directory, id_, store.checkpoint, request.operation_id);
    }
  }
  const std::string name = ManifestName(store.checkpoint, attempt_);
  coordinator_->OnStoring(store.checkpoint, savepoint.empty()
                                                ? JoinUri(manifests_->directory(), name)
                                                : "the savepoint " + savepoint);
  manifests_->Put(std::move(manifest), std::move(savepoint),
                  [weak = weak_from_this(), generation = generation_,
                   store](const Result<v1::CheckpointRef>& stored) {
                    if (const auto self = weak.lock()) self->OnManifest(store, stored, generation);
                  });
}

void JobCheckpoints::OnManifest(const CheckpointCoordinator::Store& store,
                                Result<v1::CheckpointRef> stored, uint64_t generation) {
  const bool is_awaited = generation == generation_;
  if (!stored) {
    if (!is_awaited) return;
    const bool is_savepoint = store.request && store.request->is_savepoint();
    coordinator_->OnStoreFailed(
        store.checkpoint,
        fmt::format("the {} could not be stored: {}", is_savepoint ? "savepoint" : "manifest",
                    stored.error().message),
        services_.now());
    return Pump();
  }
  if (!is_awaited || !coordinator_->OnManifestStored(store.checkpoint)) {
    // Too late: its failure has been told. Left there, it would look like a complete one.
    return manifests_->Discard(*stored);
  }
  if (store.request) stored->set_operation_id(store.request->operation_id);
  v1::LogEntry entry;
  v1::CheckpointEntry* of_checkpoint = entry.mutable_checkpoint();
  of_checkpoint->set_job_id(id_.hex);
  *of_checkpoint->mutable_checkpoint() = *stored;
  for (const CheckpointId id : store.subsumed) of_checkpoint->add_subsumed(id.value);
  *of_checkpoint->mutable_counts() = counts();
  of_checkpoint->mutable_counts()->set_completed(counts().completed() + 1);
  services_.cluster->Store(std::move(entry), [weak = weak_from_this(), ref = *stored,
                                              subsumed = store.subsumed, generation] {
    if (const auto self = weak.lock()) {
      self->OnEntry(ref, subsumed, generation);
    }
  });
}

void JobCheckpoints::OnEntry(const v1::CheckpointRef& stored,
                             const std::vector<CheckpointId>& subsumed, uint64_t generation) {
  Retain(stored, subsumed);
  const ScopedLogFields fields({.job = id_.hex, .attempt = attempt_.value});
  if (stored.is_savepoint()) LogInfo("savepoint complete: {}", stored.savepoint_path());
  if (generation == generation_) {
    coordinator_->OnStored(stored, services_.now());
    LogDebug("checkpoint {} is complete", stored.checkpoint_id());
    return Pump();
  }
  // The attempt ended meanwhile. It is complete all the same, and the next attempt begins with it.
  history_.OnCompleted(stored);
  if (!stored.operation_id().empty()) {
    job_->OnCheckpointAnswer({.operation_id = stored.operation_id()}, stored);
  }
  job_->OnCheckpointsShown();
}

void JobCheckpoints::Retain(const v1::CheckpointRef& stored,
                            const std::vector<CheckpointId>& subsumed) {
  std::vector<v1::CheckpointRef> dropped;
  std::erase_if(retained_, [&](const v1::CheckpointRef& kept) {
    const bool drop = std::find(subsumed.begin(), subsumed.end(),
                                CheckpointId{kept.checkpoint_id()}) != subsumed.end();
    if (drop) dropped.push_back(kept);
    return drop;
  });
  retained_.push_back(stored);
  if (dropped.empty()) return;
  FileNames under_way;
  if (coordinator_) {
    for (const v1::SubtaskSnapshot* part : coordinator_->acknowledged()) {
      AddFilesOf(*part, &under_way);
    }
  }
  collector_.OnSubsumed(std::move(dropped), retained_, std::move(under_way));
}

void JobCheckpoints::Perform(const CheckpointCoordinator::Notify& notify) {
  if (notify.aborted.value > 0) {
    LogWarn("checkpoint {} failed: {}", notify.aborted.value,
            statistics().latest_failed().failure());
  }
  if (notify.completed.value > 0) Pass(KillPoint::kCheckpointTells);
  v1::NotifyCheckpointRequest request;
  request.set_leader_epoch(services_.leader_epoch.value);
  request.set_job_id(id_.hex);
  request.set_completed_checkpoint_id(notify.completed.value);
  request.set_aborted_checkpoint_id(notify.aborted.value);
  request.set_is_last(notify.is_last);
  for (const auto& [id, attempt, gateway] : job_->TasksInUse()) {
    request.set_attempt(attempt.value);
    gateway->NotifyCheckpoint(request, [id = id](const Status& status) {
      // A completed one is told again until it is confirmed, an aborted one by the next barrier.
      if (!status) LogDebug("TaskManager {}: {}", id, status.error().message);
    });
  }
}

void JobCheckpoints::Perform(const CheckpointCoordinator::FailJob& failure) {
  job_->OnTooManyFailures(failure.reason);
}

void JobCheckpoints::Perform(const CheckpointCoordinator::Answer& answer) {
  job_->OnCheckpointAnswer(answer.request, answer.outcome);
}

}  // namespace watershed
