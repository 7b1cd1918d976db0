#include "runtime/engine/pending_snapshot.h"

#include <utility>

#include "watershed/v1/checkpoint.pb.h"

namespace watershed {

PendingSnapshot::PendingSnapshot(const Barrier& barrier)
    : barrier_(barrier), message_(std::make_unique<v1::SubtaskSnapshot>()) {}
PendingSnapshot::~PendingSnapshot() = default;

void PendingSnapshot::EndPiece(const Status& status) {
  --open_pieces_;
  if (!status && !failure_) failure_ = status.error();
  FinishIfComplete();
}

void PendingSnapshot::CountBytes(int64_t bytes) {
  v1::SnapshotFigures& figures = *message_->mutable_figures();
  figures.set_state_bytes(figures.state_bytes() + bytes);
}

void PendingSnapshot::CountWritten(int64_t bytes) {
  v1::SnapshotFigures& figures = *message_->mutable_figures();
  figures.set_written_bytes(figures.written_bytes() + bytes);
}

void PendingSnapshot::Seal(std::function<void(const std::optional<Error>&)> done) {
  done_ = std::move(done);
  sealed_ = true;
  FinishIfComplete();
}

// The first failure is told at once: nothing that is still open can change it.
void PendingSnapshot::FinishIfComplete() {
  if (!sealed_ || done_ == nullptr || (open_pieces_ > 0 && !failure_)) return;
  if (!failure_) {
    for (const auto& fill : at_completion_) fill();
  }
  at_completion_.clear();
  std::exchange(done_, nullptr)(failure_);
}

}  // namespace watershed
