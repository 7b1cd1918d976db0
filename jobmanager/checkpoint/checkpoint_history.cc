#include "jobmanager/checkpoint/checkpoint_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace watershed {
namespace {

constexpr int kShown = 10;

void Fill(const v1::CheckpointRef& checkpoint, const std::string& directory,
          v1::CheckpointSummary* out) {
  out->set_id(checkpoint.checkpoint_id());
  out->set_status(v1::CheckpointSummary::COMPLETED);
  out->set_is_savepoint(checkpoint.is_savepoint());
  out->set_trigger_time_ms(checkpoint.trigger_time_ms());
  out->set_end_time_ms(checkpoint.completed_time_ms());
  out->set_state_bytes(checkpoint.state_bytes());
  out->set_written_bytes(checkpoint.written_bytes());
  out->set_path(CheckpointPath(directory, checkpoint));
  out->set_savepoint_path(checkpoint.savepoint_path());
}

}  // namespace

std::string CheckpointPath(const std::string& directory, const v1::CheckpointRef& checkpoint) {
  const std::string& name = checkpoint.manifest().name();
  const size_t slash = name.rfind('/');
  if (slash == std::string::npos) return directory;  // a savepoint has its directory to itself
  return fmt::format("{}/{}", directory, name.substr(0, slash));
}

CheckpointHistory::CheckpointHistory(std::string directory, const CheckpointSettings& settings) {
  statistics_.set_directory(std::move(directory));
  statistics_.set_interval_ms(settings.interval.count());
  statistics_.set_timeout_ms(settings.timeout.count());
  statistics_.set_min_pause_ms(settings.min_pause.count());
  statistics_.set_tolerable_failures(settings.tolerable_failures);
}

v1::CheckpointSummary* CheckpointHistory::Find(CheckpointId checkpoint) {
  for (v1::CheckpointSummary& summary : *statistics_.mutable_recent()) {
    if (summary.id() == checkpoint.value) return &summary;
  }
  return nullptr;
}

v1::CheckpointSummary* CheckpointHistory::Push(CheckpointId checkpoint) {
  auto* recent = statistics_.mutable_recent();
  recent->Add()->set_id(checkpoint.value);
  std::rotate(recent->pointer_begin(), recent->pointer_end() - 1, recent->pointer_end());
  while (recent->size() > kShown) {
    parts_.erase(CheckpointId{recent->rbegin()->id()});
    recent->RemoveLast();
  }
  return recent->Mutable(0);
}

void CheckpointHistory::OnRecovered(const v1::CheckpointCounts& counts) {
  statistics_.set_triggered(counts.triggered());
  statistics_.set_completed(counts.completed());
  statistics_.set_failed(counts.failed());
  statistics_.set_restored_count(counts.restored());
}

v1::CheckpointCounts CheckpointHistory::counts() const {
  v1::CheckpointCounts counts;
  counts.set_triggered(statistics_.triggered());
  counts.set_completed(statistics_.completed());
  counts.set_failed(statistics_.failed());
  counts.set_restored(statistics_.restored_count());
  return counts;
}

void CheckpointHistory::OnFound(const v1::CheckpointRef& completed) {
  const std::string& directory = statistics_.directory();
  Fill(completed, directory, Push(CheckpointId{completed.checkpoint_id()}));
  SetLatest(statistics_.recent(0));
}

void CheckpointHistory::SetLatest(const v1::CheckpointSummary& completed) {
  *statistics_.mutable_latest_completed() = completed;
  *(completed.is_savepoint() ? statistics_.mutable_latest_savepoint()
                             : statistics_.mutable_latest_not_savepoint()) = completed;
}

void CheckpointHistory::OnTriggered(CheckpointId checkpoint, bool is_savepoint, int32_t subtasks,
                                    int64_t now_ms) {
  statistics_.set_triggered(statistics_.triggered() + 1);
  statistics_.set_in_progress(statistics_.in_progress() + 1);
  v1::CheckpointSummary* summary = Push(checkpoint);
  summary->set_status(v1::CheckpointSummary::IN_PROGRESS);
  summary->set_is_savepoint(is_savepoint);
  summary->set_trigger_time_ms(now_ms);
  summary->set_end_time_ms(-1);
  summary->set_subtasks(subtasks);
}

void CheckpointHistory::OnAcknowledged(CheckpointId checkpoint) {
  if (v1::CheckpointSummary* summary = Find(checkpoint)) {
    summary->set_acknowledged(summary->acknowledged() + 1);
  }
}

void CheckpointHistory::OnPart(CheckpointId checkpoint, const v1::SubtaskSnapshot& part,
                               int64_t now_ms) {
  if (Find(checkpoint) == nullptr) return;
  auto [row, is_new] = parts_[checkpoint].try_emplace(std::pair(part.vertex_id(), part.subtask()));
  if (!is_new) return;
  v1::SubtaskCheckpoint& out = row->second;
  out.set_vertex_id(part.vertex_id());
  out.set_subtask(part.subtask());
  out.set_answered_time_ms(now_ms);
  out.set_state_bytes(part.figures().state_bytes());
  out.set_written_bytes(part.figures().written_bytes());
  out.set_alignment_us(part.figures().alignment_us());
  out.set_sync_us(part.figures().sync_us());
  out.set_async_us(part.figures().async_us());
}

std::optional<v1::CheckpointDetails> CheckpointHistory::Details(CheckpointId checkpoint) const {
  for (const v1::CheckpointSummary& summary : statistics_.recent()) {
    if (summary.id() != checkpoint.value) continue;
    v1::CheckpointDetails details;
    *details.mutable_summary() = summary;
    if (const auto parts = parts_.find(checkpoint); parts != parts_.end()) {
      for (const auto& [key, part] : parts->second) *details.add_subtasks() = part;
    }
    return details;
  }
  return std::nullopt;
}

size_t CheckpointHistory::parts_held() const {
  size_t parts = 0;
  for (const auto& [checkpoint, of_subtasks] : parts_) parts += of_subtasks.size();
  return parts;
}

void CheckpointHistory::OnCompleted(const v1::CheckpointRef& completed) {
  statistics_.set_completed(statistics_.completed() + 1);
  statistics_.set_in_progress(statistics_.in_progress() - 1);
  v1::CheckpointSummary* summary = Find(CheckpointId{completed.checkpoint_id()});
  if (summary == nullptr) summary = Push(CheckpointId{completed.checkpoint_id()});
  Fill(completed, statistics_.directory(), summary);
  SetLatest(*summary);
}

void CheckpointHistory::OnFailed(CheckpointId checkpoint, const std::string& reason,
                                 int64_t now_ms) {
  statistics_.set_failed(statistics_.failed() + 1);
  statistics_.set_in_progress(statistics_.in_progress() - 1);
  v1::CheckpointSummary* summary = Find(checkpoint);
  if (summary == nullptr) summary = Push(checkpoint);
  summary->set_status(v1::CheckpointSummary::FAILED);
  summary->set_failure(reason);
  summary->set_end_time_ms(now_ms);
  *statistics_.mutable_latest_failed() = *summary;
}

void CheckpointHistory::OnRestored(const v1::CheckpointRef& restored, const std::string& directory,
                                   int64_t now_ms) {
  statistics_.set_restored_count(statistics_.restored_count() + 1);
  Fill(restored, directory, statistics_.mutable_restored());
  statistics_.mutable_restored()->set_end_time_ms(now_ms);
}

void CheckpointHistory::OnDamaged(const std::string& what) {
  statistics_.set_damaged(statistics_.damaged() + 1);
  statistics_.set_last_damage(what);
}

}  // namespace watershed
