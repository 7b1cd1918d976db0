#include "runtime/engine/task_checkpoints.h"

#include <algorithm>
#include <utility>

#include "runtime/types/kill_point.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {
namespace {

// Copied between two elements: some tens of microseconds.
constexpr int64_t kSliceBytes = 256 << 10;
// How soon a writer that had enough is asked again while the task has nothing else to do.
constexpr std::chrono::milliseconds kFirstSlicePause{1};
constexpr std::chrono::milliseconds kLongestSlicePause{64};

int64_t Microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

}  // namespace

Status TaskCheckpoints::OnTrigger(const Barrier& barrier, SourceStop stop) {
  if (!running_) {
    early_.emplace_back(barrier, stop);
    return Ok();
  }
  if (barrier.checkpoint_id <= last_taken_) return Ok();
  if (noted_ && barrier.checkpoint_id <= noted_->checkpoint_id) return Ok();
  noted_ = barrier;
  if (ended_) return Take(barrier);
  parts_.input->OnTrigger(barrier, stop);
  return Ok();
}

Status TaskCheckpoints::OnRunning() {
  running_ = true;
  for (const auto& [barrier, stop] : std::exchange(early_, {})) {
    WS_RETURN_IF_ERROR(OnTrigger(barrier, stop));
  }
  return Ok();
}

Status TaskCheckpoints::OnEnded() {
  ended_ = true;
  watermark_ms_ = kMaxWatermarkMs;
  return noted_ ? Take(*noted_) : Ok();
}

Status TaskCheckpoints::OnBarrier(const Barrier& barrier, TimestampMs watermark_ms) {
  watermark_ms_ = watermark_ms;
  return Take(barrier);
}

// Barriers that were given up, or that the task took by itself, are passed on by nobody.
Status TaskCheckpoints::Take(const Barrier& barrier) {
  if (barrier.checkpoint_id <= last_taken_) return Ok();
  last_taken_ = barrier.checkpoint_id;
  if (noted_ && noted_->checkpoint_id <= barrier.checkpoint_id) noted_.reset();
  if (ended_ && !final_) final_ = barrier.checkpoint_id;
  Pass(KillPoint::kBarrierAligned);
  const auto began = Now();
  Measure(barrier);
  const auto snapshot = std::make_shared<PendingSnapshot>(barrier);
  // Flushes the chain first and hands the barrier on afterwards.
  parts_.chain->set_snapshot_hook([&](const Barrier&) { return Collect(snapshot); });
  auto done = ended_ ? Collect(snapshot).map([] { return Progress::kDone; })
                     : parts_.chain->HandOn(barrier);
  parts_.chain->set_snapshot_hook(nullptr);
  WS_RETURN_IF_ERROR(std::move(done));
  Pass(KillPoint::kSnapshotTaken);
  Seal(snapshot, began);
  return Ok();
}

// The trigger's time is another machine's: clocks may differ.
void TaskCheckpoints::Measure(const Barrier& barrier) const {
  const std::chrono::milliseconds since_trigger(parts_.mailbox->clock().NowMs() -
                                                barrier.trigger_time_ms);
  const std::chrono::nanoseconds alignment = Alignment();
  parts_.metrics->OnBarrier(alignment,
                            std::max(since_trigger - alignment, std::chrono::nanoseconds(0)));
}

Status TaskCheckpoints::Collect(const std::shared_ptr<PendingSnapshot>& snapshot) {
  v1::SubtaskSnapshot& message = snapshot->message();
  message.set_vertex_id(parts_.spec->vertex_id);
  message.set_subtask(parts_.spec->subtask.value);
  if (watermark_ms_ != kMinWatermarkMs) message.set_watermark_ms(watermark_ms_);
  message.set_ended(ended_);
  parts_.input->Snapshot(snapshot->barrier().checkpoint_id, message);
  return parts_.chain->Snapshot(snapshot);
}

void TaskCheckpoints::Seal(const std::shared_ptr<PendingSnapshot>& snapshot,
                           std::chrono::nanoseconds began) {
  const auto sync_ended = Now();
  v1::SnapshotFigures& figures = *snapshot->message().mutable_figures();
  figures.set_alignment_us(Microseconds(Alignment()));
  figures.set_sync_us(Microseconds(sync_ended - began));
  pending_.push_back(snapshot);
  slice_pause_ = {};
  snapshot->Seal([this, raw = snapshot.get(), sync_ended](const std::optional<Error>& failure) {
    Answer(*raw, sync_ended, failure);
  });
}

void TaskCheckpoints::Answer(PendingSnapshot& snapshot, std::chrono::nanoseconds sync_ended,
                             const std::optional<Error>& failure) {
  const CheckpointId checkpoint = snapshot.barrier().checkpoint_id;
  if (failure) {
    parts_.responder->Decline(*parts_.spec, checkpoint, *failure);
  } else {
    snapshot.message().mutable_figures()->set_async_us(Microseconds(Now() - sync_ended));
    Pass(KillPoint::kSnapshotAnswered);
    parts_.responder->Acknowledge(*parts_.spec, checkpoint, snapshot.message());
  }
}

void TaskCheckpoints::Advance() {
  if (!pending_.empty()) {
    std::erase_if(pending_, [](const auto& snapshot) { return snapshot->over(); });
    WriteSlice();
  }
  if (to_confirm_ && parts_.chain->Committed(*to_confirm_)) {
    confirmed_ = std::max(confirmed_, *to_confirm_);
    Pass(KillPoint::kCommitIsConfirmed);
    parts_.responder->Confirm(*parts_.spec, *std::exchange(to_confirm_, std::nullopt));
  }
}

void TaskCheckpoints::WriteSlice() {
  if (pending_.empty()) {
    if (slice_timer_) parts_.mailbox->CancelTimer(*slice_timer_);
    slice_timer_.reset();
    return;
  }
  if (parts_.chain->WriteFrozen(kSliceBytes)) slice_pause_ = {};
  if (slice_timer_) return;
  // Wakes a task that has nothing else to do.
  slice_timer_ = parts_.mailbox->AddTimer(Now() + slice_pause_, [this] {
    slice_timer_.reset();
    slice_pause_ = std::clamp(slice_pause_ * 2, kFirstSlicePause, kLongestSlicePause);
    return Ok();
  });
}

Status TaskCheckpoints::OnComplete(CheckpointId checkpoint, bool is_last) {
  Pass(KillPoint::kCheckpointHeard);
  stopped_ |= is_last;
  if (is_last && !final_) final_ = checkpoint;
  parts_.input->OnCheckpointComplete(checkpoint);
  WS_RETURN_IF_ERROR(parts_.chain->OnCheckpointComplete(checkpoint));
  to_confirm_ = std::max(to_confirm_.value_or(checkpoint), checkpoint);
  return Ok();
}

Status TaskCheckpoints::OnAborted(CheckpointId checkpoint) {
  last_taken_ = std::max(last_taken_, checkpoint);
  if (noted_ && noted_->checkpoint_id <= checkpoint) noted_.reset();
  parts_.input->OnCheckpointAborted(checkpoint);
  parts_.chain->OnCheckpointAborted();
  return Ok();
}

}  // namespace watershed
