#include "jobmanager/checkpoint/checkpoint_coordinator.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/config/units.h"

namespace watershed {
namespace {

// A job without an interval that waits for its final checkpoint tries again after this.
constexpr std::chrono::seconds kFinalRetry{1};
constexpr size_t kNamesShown = 3;

bool HoldsSegments(const v1::SubtaskSnapshot& part) {
  return std::any_of(part.sinks().begin(), part.sinks().end(),
                     [](const v1::SinkSnapshot& sink) { return sink.unconfirmed_size() > 0; });
}

// A finished task has committed everything up to the checkpoint that it was told of.
v1::SubtaskSnapshot AfterConfirmation(v1::SubtaskSnapshot part) {
  for (v1::SinkSnapshot& sink : *part.mutable_sinks()) {
    if (sink.unconfirmed().empty()) continue;
    sink.set_last_confirmed_epoch(sink.unconfirmed().rbegin()->epoch());
    sink.clear_unconfirmed();
  }
  return part;
}

}  // namespace

CheckpointCoordinator::CheckpointCoordinator(const CheckpointSettings& settings,
                                             const std::map<SubtaskKey, std::string>& subtasks,
                                             std::vector<v1::CheckpointRef> retained,
                                             CheckpointId next, CheckpointHistory* history)
    : settings_(settings), history_(history), retained_(std::move(retained)), next_(next) {
  for (const auto& [key, name] : subtasks) subtasks_[key].name = name;
}

std::vector<CheckpointCoordinator::Action> CheckpointCoordinator::Next(CheckpointTime now) {
  if (MayExpire() && now.steady - pending_->triggered.steady >= settings_.timeout) {
    Abort(fmt::format("not complete within {}; {}", FormatDuration(settings_.timeout),
                      WhatIsMissing()),
          now);
  }
  if (notify_at_ && now.steady >= *notify_at_) {
    if (AwaitsConfirmation()) {
      actions_.emplace_back(
          Notify{.completed = completed_, .aborted = CheckpointId{0}, .is_last = stopped_});
      notify_at_ = now.steady + settings_.notify_again;
    } else {
      notify_at_.reset();
    }
  }
  // Whoever hears that what he asked for has failed may ask again, before any other begins.
  const bool tells_failure = std::ranges::any_of(actions_, [](const Action& action) {
    const auto* answer = std::get_if<Answer>(&action);
    return answer != nullptr && !answer->outcome;
  });
  if (!tells_failure && MayTrigger() && now.steady >= TriggerTime()) Begin(now);
  return std::exchange(actions_, {});
}

std::optional<CheckpointCoordinator::SteadyTime> CheckpointCoordinator::next_time() const {
  std::optional<SteadyTime> next;
  const auto at = [&next](SteadyTime time) { next = next ? std::min(*next, time) : time; };
  if (MayExpire()) at(pending_->triggered.steady + settings_.timeout);
  if (notify_at_ && AwaitsConfirmation()) at(*notify_at_);
  if (MayTrigger()) at(TriggerTime());
  return next;
}

bool CheckpointCoordinator::IsPending(CheckpointId checkpoint, bool storing) const {
  return pending_ && pending_->checkpoint == checkpoint &&
         (pending_->phase != Phase::kCollecting) == storing;
}

bool CheckpointCoordinator::MayExpire() const {
  return pending_ && pending_->phase != Phase::kLogging;
}

std::string CheckpointCoordinator::WhatIsMissing() const {
  if (pending_->phase == Phase::kCollecting) return "no answer from " + Unanswered();
  return "every subtask has answered, but the storage has not finished writing " +
         pending_->manifest_file;
}

bool CheckpointCoordinator::AwaitsConfirmation() const {
  return std::any_of(subtasks_.begin(), subtasks_.end(), [&](const auto& entry) {
    return !entry.second.finished && entry.second.confirmed < completed_;
  });
}

bool CheckpointCoordinator::WantsFinal() const {
  bool uncovered = false;
  for (const auto& [key, subtask] : subtasks_) {
    if (subtask.finished) continue;
    if (!subtask.ended) return false;
    uncovered |= !subtask.last_part;
  }
  return uncovered;
}

bool CheckpointCoordinator::MayTrigger() const {
  if (!running_ || pending_ || stopped_) return false;
  bool anything_left = false;
  for (const auto& [key, subtask] : subtasks_) {
    if (subtask.finished) continue;
    if (subtask.holds_segments && subtask.confirmed < completed_) return false;
    anything_left |= !subtask.last_part;
  }
  const bool is_wanted = settings_.interval.count() > 0 || !requests_.empty() || WantsFinal();
  return anything_left && is_wanted;
}

CheckpointCoordinator::SteadyTime CheckpointCoordinator::TriggerTime() const {
  if (!requests_.empty()) return requests_.front().not_before;
  const SteadyTime periodic = std::max(due_, not_before_);
  if (!WantsFinal()) return periodic;
  return settings_.interval.count() > 0 ? std::min(periodic, retry_at_) : retry_at_;
}

void CheckpointCoordinator::Begin(CheckpointTime now) {
  pending_ = Pending{.checkpoint = next_, .triggered = now, .parts = {}};
  Trigger trigger{.checkpoint = next_};
  if (!requests_.empty()) {
    trigger.is_savepoint = requests_.front().is_savepoint();
    trigger.stop = requests_.front().stop;
    pending_->request = std::move(requests_.front());
    requests_.pop_front();
  }
  ++next_.value;
  due_ = now.steady + settings_.interval;
  history_->OnTriggered(pending_->checkpoint, trigger.is_savepoint,
                        static_cast<int32_t>(subtasks_.size()), now.wall_ms);
  for (const auto& [key, subtask] : subtasks_) {
    if (!subtask.finished) continue;
    if (!subtask.last_part) {
      return Abort(subtask.name + " finished without a completed checkpoint", now);
    }
    AddPart(key, AfterConfirmation(*subtask.last_part));
  }
  actions_.emplace_back(trigger);
}

void CheckpointCoordinator::AddPart(const SubtaskKey& subtask, v1::SubtaskSnapshot part) {
  if (!pending_->parts.emplace(subtask, std::move(part)).second) return;
  history_->OnAcknowledged(pending_->checkpoint);
  if (pending_->parts.size() < subtasks_.size()) return;
  pending_->phase = Phase::kStoring;
  Store store{.checkpoint = pending_->checkpoint,
              .triggered = pending_->triggered,
              .subtasks = {},
              .subsumed = {},
              .request = pending_->request};
  for (const auto& [key, answer] : pending_->parts) store.subtasks.push_back(answer);
  const size_t kept = static_cast<size_t>(std::max(settings_.retained, 1)) - 1;
  for (size_t i = 0; i + kept < retained_.size(); ++i) {
    store.subsumed.push_back(CheckpointId{retained_[i].checkpoint_id()});
  }
  actions_.emplace_back(std::move(store));
}

void CheckpointCoordinator::Abort(const std::string& reason, CheckpointTime now) {
  const CheckpointId aborted = pending_->checkpoint;
  const int64_t aborted_at_ms = pending_->triggered.After(now);
  const std::optional<CheckpointRequest> request = std::move(pending_->request);
  pending_.reset();
  not_before_ = now.steady + settings_.min_pause;
  retry_at_ = now.steady + kFinalRetry;
  history_->OnFailed(aborted, reason, aborted_at_ms);
  actions_.emplace_back(Notify{.completed = completed_, .aborted = aborted});
  if (request) {
    actions_.emplace_back(
        Answer{*request, ExternalError("checkpoint {} failed: {}", aborted.value, reason)});
  }
  ++failures_;
  if (settings_.tolerable_failures >= 0 && failures_ > settings_.tolerable_failures) {
    actions_.emplace_back(
        FailJob{fmt::format("checkpoint {} failed: {} ({} in a row; "
                            "execution.checkpointing.tolerable-failed-checkpoints is {})",
                            aborted.value, reason, failures_, settings_.tolerable_failures)});
  }
}

std::string CheckpointCoordinator::Unanswered() const {
  std::string names;
  size_t count = 0;
  for (const auto& [key, subtask] : subtasks_) {
    if (pending_->parts.contains(key)) continue;
    if (++count <= kNamesShown) names += (names.empty() ? "" : ", ") + subtask.name;
  }
  if (count > kNamesShown) names += fmt::format(" and {} more", count - kNamesShown);
  return names;
}

std::vector<const v1::SubtaskSnapshot*> CheckpointCoordinator::acknowledged() const {
  std::vector<const v1::SubtaskSnapshot*> parts;
  if (!pending_) return parts;
  for (const auto& [key, part] : pending_->parts) parts.push_back(&part);
  return parts;
}

void CheckpointCoordinator::OnRunning(CheckpointTime now) {
  running_ = true;
  due_ = now.steady + settings_.interval;
}

void CheckpointCoordinator::OnAdopted(CheckpointTime now,
                                      const std::vector<v1::SubtaskSnapshot>& last,
                                      bool is_stopped) {
  OnRunning(now);
  stopped_ = is_stopped;
  if (retained_.empty()) return;
  completed_ = CheckpointId{retained_.back().checkpoint_id()};
  for (auto& [key, subtask] : subtasks_) subtask.holds_segments = true;
  for (const v1::SubtaskSnapshot& part : last) {
    const auto found = subtasks_.find({part.vertex_id(), part.subtask()});
    if (found != subtasks_.end() && part.ended()) found->second.last_part = part;
  }
  notify_at_ = now.steady;
}

void CheckpointCoordinator::OnTriggerFailed(CheckpointId checkpoint, const std::string& reason,
                                            CheckpointTime now) {
  if (IsPending(checkpoint, /*storing=*/false)) Abort(reason, now);
}

void CheckpointCoordinator::OnAcknowledged(CheckpointId checkpoint, const SubtaskKey& subtask,
                                           v1::SubtaskSnapshot part, CheckpointTime now) {
  if (!IsPending(checkpoint, /*storing=*/false) || !subtasks_.contains(subtask)) return;
  if (pending_->parts.contains(subtask)) return;
  part.set_vertex_id(subtask.first);
  part.set_subtask(subtask.second);
  history_->OnPart(checkpoint, part, pending_->triggered.After(now));
  AddPart(subtask, std::move(part));
}

void CheckpointCoordinator::OnDeclined(CheckpointId checkpoint, const SubtaskKey& subtask,
                                       const std::string& reason, CheckpointTime now) {
  const auto found = subtasks_.find(subtask);
  if (!IsPending(checkpoint, /*storing=*/false) || found == subtasks_.end()) return;
  Abort(fmt::format("{}: {}", found->second.name, reason), now);
}

void CheckpointCoordinator::OnConfirmed(CheckpointId checkpoint, const SubtaskKey& subtask) {
  const auto found = subtasks_.find(subtask);
  if (found == subtasks_.end() || checkpoint > completed_) return;
  found->second.confirmed = std::max(found->second.confirmed, checkpoint);
}

void CheckpointCoordinator::OnStoring(CheckpointId checkpoint, std::string file) {
  if (IsPending(checkpoint, /*storing=*/true)) pending_->manifest_file = std::move(file);
}

bool CheckpointCoordinator::OnManifestStored(CheckpointId checkpoint) {
  if (!IsPending(checkpoint, /*storing=*/true)) return false;
  pending_->phase = Phase::kLogging;
  return true;
}

void CheckpointCoordinator::OnStored(const v1::CheckpointRef& stored, CheckpointTime now) {
  if (!IsPending(CheckpointId{stored.checkpoint_id()}, /*storing=*/true)) return;
  for (auto& [key, part] : pending_->parts) {
    Subtask& subtask = subtasks_[key];
    subtask.holds_segments = HoldsSegments(part);
    if (part.ended()) subtask.last_part = std::move(part);
  }
  completed_ = pending_->checkpoint;
  if (pending_->request) {
    stopped_ = pending_->request->stop != v1::GO_ON;
    actions_.emplace_back(Answer{std::move(*pending_->request), stored});
  }
  pending_.reset();
  failures_ = 0;
  not_before_ = now.steady + settings_.min_pause;
  notify_at_ = now.steady;
  retained_.push_back(stored);
  const size_t kept = static_cast<size_t>(std::max(settings_.retained, 1));
  while (retained_.size() > kept) retained_.erase(retained_.begin());
  history_->OnCompleted(stored);
}

void CheckpointCoordinator::OnStoreFailed(CheckpointId checkpoint, const std::string& reason,
                                          CheckpointTime now) {
  if (IsPending(checkpoint, /*storing=*/true)) Abort(reason, now);
}

void CheckpointCoordinator::OnEnded(const SubtaskKey& subtask) {
  const auto found = subtasks_.find(subtask);
  if (found != subtasks_.end()) found->second.ended = true;
}

void CheckpointCoordinator::OnFinished(const SubtaskKey& key, CheckpointTime now) {
  const auto found = subtasks_.find(key);
  if (found == subtasks_.end() || found->second.finished) return;
  Subtask& subtask = found->second;
  subtask.finished = subtask.ended = true;
  if (!pending_ || pending_->phase != Phase::kCollecting || pending_->parts.contains(key)) return;
  if (subtask.last_part) {
    AddPart(key, AfterConfirmation(*subtask.last_part));
  } else {
    Abort(subtask.name + " finished without a completed checkpoint", now);
  }
}

void CheckpointCoordinator::OnRegionsFailed(const std::string& reason, CheckpointTime now) {
  running_ = false;
  requests_.clear();
  if (!MayExpire()) return;
  // The others hear of it: what they hold for it is for the next one.
  actions_.emplace_back(Notify{.completed = completed_, .aborted = pending_->checkpoint});
  history_->OnFailed(pending_->checkpoint, reason, pending_->triggered.After(now));
  pending_.reset();
}

void CheckpointCoordinator::OnRegionsBegin(const std::set<SubtaskKey>& subtasks) {
  for (const SubtaskKey& key : subtasks) {
    const auto found = subtasks_.find(key);
    if (found == subtasks_.end()) continue;
    Subtask& subtask = found->second;
    subtask.ended = subtask.finished = subtask.holds_segments = false;
    subtask.confirmed = completed_;  // what it takes over is committed by its beginning
    subtask.last_part.reset();
  }
}

void CheckpointCoordinator::OnStopped(const std::string& reason, CheckpointTime now) {
  if (MayExpire()) {
    history_->OnFailed(pending_->checkpoint, reason, pending_->triggered.After(now));
    pending_.reset();
  }
  running_ = false;
  notify_at_.reset();
  actions_.clear();
}

}  // namespace watershed
