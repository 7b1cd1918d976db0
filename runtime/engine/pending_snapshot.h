// One task's part of one checkpoint while it is being written: begun at the barrier in one action,
// complete when every file it names is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/types/result.h"
#include "runtime/types/stream_element.h"

namespace watershed {

namespace v1 {
class SubtaskSnapshot;
}

// The task's thread. Shared by whoever still writes a piece of it.
class PendingSnapshot {
 public:
  explicit PendingSnapshot(const Barrier& barrier);
  ~PendingSnapshot();

  const Barrier& barrier() const { return barrier_; }
  // What the task will acknowledge with. Elements that were added to it stay where they are.
  v1::SubtaskSnapshot& message() { return *message_; }

  // A piece that becomes durable later: one EndPiece for each BeginPiece. An error is why the whole
  // cannot be acknowledged.
  void BeginPiece() { ++open_pieces_; }
  void EndPiece(const Status& status);
  // Runs when all pieces are durable, before the acknowledgement.
  void AtCompletion(std::function<void()> fill) { at_completion_.push_back(std::move(fill)); }
  // Figures: what it names, and what of that was written for it.
  void CountBytes(int64_t bytes);
  void CountWritten(int64_t bytes);

  // All pieces have begun. `done` runs once, at the latest now if nothing is open: with the reason
  // if some piece failed.
  void Seal(std::function<void(const std::optional<Error>& failure)> done);
  // `done` has run, and nobody writes a piece any more.
  bool over() const { return sealed_ && done_ == nullptr && open_pieces_ == 0; }

 private:
  void FinishIfComplete();

  const Barrier barrier_;
  std::unique_ptr<v1::SubtaskSnapshot> message_;
  int open_pieces_ = 0;
  bool sealed_ = false;
  std::optional<Error> failure_;
  std::vector<std::function<void()>> at_completion_;
  std::function<void(const std::optional<Error>&)> done_;
};

}  // namespace watershed
