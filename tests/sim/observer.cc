#include "tests/sim/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "jobmanager/scheduler/slot_assignment.h"
#include "runtime/checkpoint/manifest.h"
#include "tests/sim/cluster.h"

namespace watershed::sim {
namespace {

// What must be in the manifest as the task said it. Of one that has ended the JobManager itself
// notes what its sinks have confirmed since.
std::string Compared(v1::SubtaskSnapshot part) {
  part.clear_figures();
  if (part.ended()) part.clear_sinks();
  return part.ShortDebugString();
}

}  // namespace

void Observer::Violate(const std::string& oracle, std::string what) {
  schedule_->Trace(oracle);
  violations_.push_back({oracle, std::move(what)});
}

void Observer::OnDeployment(const v1::DeployTasksRequest& request) {
  const bool is_of_leader = request.leader_epoch() >= leader_epoch_;
  const Regions& regions = regions_[request.job_id()] = Regions::Of(request.plan());
  for (const v1::TaskDeployment& task : request.tasks()) {
    const int32_t region = regions.Find(task.vertex_id(), task.subtask());
    started_[{request.job_id(), region}].insert(request.attempt());
    if (is_of_leader) deployed_[{request.job_id(), region}].insert(request.attempt());
  }
  // Who has been deposed does not know what has become complete since.
  if (!is_of_leader) return;
  attempts_ = std::max(attempts_, request.attempt());
  const auto [deployment, is_new] = deployments_.try_emplace({request.job_id(), request.attempt()});
  if (is_new && !completed_.empty()) deployment->second.newest_checkpoint = *completed_.rbegin();
  if (is_new && on_deployment) on_deployment();
  deployment->second.slots = SlotsNeeded(request.plan());
  if (is_new) resized_ += IsResized(request.job_id(), request.attempt());
  for (const v1::TaskDeployment& task : request.tasks()) {
    if (!task.has_restore()) continue;
    const int64_t restored = task.restore().checkpoint_id();
    restored_.insert(restored);
    deployment->second.restored = true;
    const int64_t newest = deployment->second.newest_checkpoint;
    if (restored < newest) fallbacks_.push_back({request.attempt(), restored, newest});
  }
}

int32_t Observer::NewestOf(const Attempts& attempts, const std::string& job,
                           const std::string& vertex, int32_t subtask, int32_t most) const {
  const auto regions = regions_.find(job);
  if (regions == regions_.end()) return 0;
  // One that the plan does not have any more was of all, and so of the first.
  const int32_t region = std::max(regions->second.Find(vertex, subtask), 0);
  const auto deployed = attempts.find({job, region});
  if (deployed == attempts.end()) return 0;
  const auto above = deployed->second.upper_bound(most);
  return above == deployed->second.begin() ? 0 : *std::prev(above);
}

bool Observer::IsResized(const std::string& job, int32_t attempt) const {
  const auto own = deployments_.find({job, attempt});
  if (own == deployments_.begin()) return false;
  const auto& [key, before] = *std::prev(own);
  return key.first == job && before.slots != own->second.slots;
}

void Observer::OnTrigger(const v1::TriggerCheckpointRequest& request) {
  const auto [trigger, is_new] = triggered_.try_emplace(
      {request.job_id(), request.attempt(), request.checkpoint_id()}, request.leader_epoch());
  if (is_new || trigger->second == request.leader_epoch()) return;
  Violate(
      "checkpoint-id",
      fmt::format("leaders {} and {} both triggered checkpoint {} of attempt {}", trigger->second,
                  request.leader_epoch(), request.checkpoint_id(), request.attempt()));
}

void Observer::OnTaskManagerAnswer(const std::string& task_manager, int64_t epoch, bool accepted) {
  refused_ += !accepted;
  if (!accepted) return;
  int64_t& highest = epochs_[task_manager];
  if (epoch < highest) {
    Violate("stale-leader",
            fmt::format("{} obeyed leader epoch {} after {}", task_manager, epoch, highest));
  }
  highest = std::max(highest, epoch);
}

void Observer::OnTaskAnswer(const v1::ReportCheckpointRequest& report) {
  if (!report.has_acknowledged()) return;
  answers_[{report.attempt(), report.checkpoint_id(), report.vertex_id(), report.subtask()}] =
      Compared(report.acknowledged());
}

void Observer::OnJobManagerAnswer(const v1::ReportCheckpointRequest& report, bool accepted) {
  refused_ += !accepted;
  const int32_t newest = NewestOf(deployed_, report.job_id(), report.vertex_id(), report.subtask());
  if (!accepted || report.attempt() >= newest) return;
  Violate("stale-attempt",
          fmt::format("the JobManager took an answer of attempt {} to checkpoint {}, when attempt "
                      "{} had been deployed",
                      report.attempt(), report.checkpoint_id(), newest));
}

void Observer::OnCommit(const Outside::Commit& commit) {
  const auto& [lineage, sink, writer] = commit.writer;
  const auto what = fmt::format("attempt {} committed epoch {} of writer {} of '{}'",
                                commit.attempt, commit.epoch, writer, sink);
  if (commit.attempt < commit.fence) {
    Violate("fenced-writer", fmt::format("{}, which attempt {} had taken", what, commit.fence));
  }
  // An epoch of a checkpoint that failed is listed by the next one.
  if (completed_.lower_bound(commit.epoch) == completed_.end()) {
    Violate("committed-early", what + ", when no checkpoint had made it durable");
  }
}

void Observer::OnStored(const v1::LogEntry& entry) {
  if (entry.has_checkpoint()) OnComplete(entry.checkpoint());
  region_restarts_ += entry.attempt().restarted_size() > 0 ? 1 : 0;
}

void Observer::OnComplete(const v1::CheckpointEntry& checkpoint) {
  const v1::CheckpointRef& ref = checkpoint.checkpoint();
  schedule_->Trace("checkpoint", static_cast<uint64_t>(ref.checkpoint_id()));
  completed_.insert(ref.checkpoint_id());
  files_[ref.checkpoint_id()].insert(ref.manifest().name());
  std::erase_if(retained_, [&](const v1::CheckpointEntry& kept) {
    return kept.job_id() != checkpoint.job_id() ||
           std::ranges::count(checkpoint.subsumed(), kept.checkpoint().checkpoint_id()) > 0;
  });
  retained_.push_back(checkpoint);
  unread_.push_back(checkpoint);
  const std::string& name = ref.manifest().name();
  last_path_ = fmt::format("{}/{}/{}", Cluster::kCheckpointDirectory, checkpoint.job_id(),
                           name.substr(0, name.rfind('/')));
}

void Observer::OnRecovered(const v1::StoredState& state) {
  leader_epoch_ = std::max(leader_epoch_, state.leader_epoch());
  for (const v1::StoredJob& job : state.jobs()) {
    std::set<int64_t> kept;
    for (const v1::CheckpointRef& ref : job.checkpoints()) {
      kept.insert(ref.checkpoint_id());
      if (completed_.contains(ref.checkpoint_id())) continue;
      v1::CheckpointEntry found;
      found.set_job_id(job.submission().job_id());
      *found.mutable_checkpoint() = ref;
      OnComplete(found);
    }
    std::erase_if(retained_, [&](const v1::CheckpointEntry& entry) {
      return entry.job_id() == job.submission().job_id() &&
             !kept.contains(entry.checkpoint().checkpoint_id());
    });
  }
}

// Each part is what a task of its region's attempt answered to this checkpoint; one that had
// finished before, what it had answered last. The manifest has the number of the newest attempt.
void Observer::OnManifest(const v1::CheckpointManifest& manifest) {
  std::set<std::string>& files = files_[manifest.checkpoint_id()];
  for (const v1::SubtaskSnapshot& part : manifest.subtasks()) {
    ForEachFile(part,
                [&](const std::string&, const v1::FileRef& file) { files.insert(file.name()); });
  }
  for (const v1::SubtaskSnapshot& stored : manifest.subtasks()) {
    const std::string text = Compared(stored);
    const int32_t attempt = NewestOf(started_, manifest.job_id(), stored.vertex_id(),
                                     stored.subtask(), manifest.attempt());
    bool found = false;
    for (int64_t id = manifest.checkpoint_id(); id > 0 && !found; --id) {
      const auto answer = answers_.find({attempt, id, stored.vertex_id(), stored.subtask()});
      found = answer != answers_.end() && answer->second == text;
      if (!stored.ended()) break;
    }
    if (found) continue;
    Violate("stale-attempt",
            fmt::format("checkpoint {} of attempt {}: the part of {} subtask {} is no answer of "
                        "this attempt",
                        manifest.checkpoint_id(), attempt, stored.vertex_id(), stored.subtask()));
  }
}

// None lasted longer than the simulation so far, by whichever clock.
void Observer::OnStatistics(const v1::CheckpointStatistics& statistics) {
  const int64_t longest_ms = 2 * (schedule_->Steady() / milliseconds(1));
  for (const v1::CheckpointSummary& checkpoint : statistics.recent()) {
    if (checkpoint.end_time_ms() <= 0 || !judged_.insert(checkpoint.id()).second) continue;
    const int64_t duration_ms = checkpoint.end_time_ms() - checkpoint.trigger_time_ms();
    if (duration_ms >= 0 && duration_ms <= longest_ms) continue;
    Violate("checkpoint-duration",
            fmt::format("checkpoint {} lasted {} ms", checkpoint.id(), duration_ms));
  }
}

bool Observer::IsDamaged(int64_t checkpoint) const {
  const auto files = files_.find(checkpoint);
  return files != files_.end() && std::ranges::any_of(files->second, [this](const auto& file) {
           return damaged_.contains(file);
         });
}

bool Observer::MayFail(const std::string& reason) const {
  const bool is_named = std::ranges::any_of(
      damaged_, [&](const std::string& name) { return reason.find(name) != std::string::npos; });
  // Rows that a target has from a checkpoint that is damaged are not written again unasked. A
  // leader that has adopted the tasks does not know what the one before had passed over.
  if (fell_back() && reason.find("--allow-duplicates") != std::string::npos) return true;
  if (!is_named || retained_.empty()) return false;
  return std::ranges::all_of(retained_, [this](const v1::CheckpointEntry& kept) {
    return IsDamaged(kept.checkpoint().checkpoint_id());
  });
}

void Observer::OnEnd() {
  for (const Fallback& fallback : fallbacks_) {
    for (auto passed = completed_.upper_bound(fallback.restored);
         passed != completed_.end() && *passed <= fallback.newest; ++passed) {
      if (IsDamaged(*passed)) continue;
      Violate("restore", fmt::format("attempt {} began with checkpoint {}, though {} was complete",
                                     fallback.attempt, fallback.restored, *passed));
    }
  }
  for (const auto& [attempt, deployment] : deployments_) {
    if (deployment.newest_checkpoint == 0 || deployment.restored) continue;
    Violate("restore", fmt::format("attempt {} began empty, though checkpoint {} was complete",
                                   attempt.second, deployment.newest_checkpoint));
  }
}

void Observer::OnTaskEnded(const std::string& task, int64_t late_records) {
  if (late_records == 0 || may_drop_late) return;
  Violate("late", fmt::format("{} dropped {} late rows", task, late_records));
}

}  // namespace watershed::sim
