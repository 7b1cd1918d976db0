// Runs one Operator inside a chain and routes what it emits to the nodes behind it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/engine/chain_node.h"
#include "runtime/state/keyed_state.h"
#include "runtime/storage/object_storage.h"

namespace watershed {

namespace v1 {
class SubtaskRestore;
}

// One thread.
class OperatorNode final : public ChainNode {
 public:
  // `chain_full` tells a firing operator whether some end of its chain has no room. The context's
  // metric group gets numRecordsIn and numRecordsOut.
  OperatorNode(std::unique_ptr<Operator> op, OperatorContext context,
               std::function<bool()> chain_full);

  // Before Open: what former subtasks of this operator left, and the storage of their files.
  void RestoreFrom(std::shared_ptr<const v1::SubtaskRestore> restore,
                   std::shared_ptr<ObjectStorage> storage) {
    restore_ = std::move(restore);
    restore_storage_ = std::move(storage);
  }
  // Rows of the output `side` (empty: the main one) go to `consumer`'s input.
  void AddConsumer(std::string_view side, ChainNode* consumer, int input) {
    router_.AddConsumer(side, consumer, input);
  }

  Result<Progress> Open() override;
  Status Process(int input, const RecordBatch& batch) override;
  Status Flush() override;
  Result<Progress> OnWatermark(TimestampMs time_ms) override;
  Status OnWatermarkStatus(WatermarkStatus) override { return Ok(); }
  Status Snapshot(const std::shared_ptr<PendingSnapshot>& snapshot) override;
  bool WriteFrozen(int64_t max_bytes) override {
    return keyed_state_ != nullptr && keyed_state_->WriteFrozen(max_bytes);
  }
  Status OnBarrier(const Barrier&) override { return Ok(); }
  void OnCheckpointAborted() override {
    if (keyed_state_ != nullptr) keyed_state_->GiveUpIfHeldUp();
  }
  bool full() const override { return keyed_state_ != nullptr && keyed_state_->held_up(); }
  Result<Progress> EndOfInput() override;
  void Close() override;

 private:
  // Its own class: a node's full() tells of the node, an output's of the chain behind it.
  class Router final : public Output {
   public:
    Router(std::function<bool()> chain_full, Counter* records_out)
        : chain_full_(std::move(chain_full)), records_out_(records_out) {}
    void AddConsumer(std::string_view side, ChainNode* consumer, int input);
    bool downstream_failed() const { return downstream_failed_; }

    Status Emit(RecordBatch batch) override;
    Status EmitSide(std::string_view tag, RecordBatch batch) override;
    bool has_side(std::string_view tag) const override { return FindSide(tag) != nullptr; }
    bool full() const override { return chain_full_(); }

   private:
    struct Consumer {
      ChainNode* node;
      int input;
    };
    struct Side {
      std::string tag;
      std::vector<Consumer> consumers;
    };
    const Side* FindSide(std::string_view tag) const;
    Status Route(const std::vector<Consumer>& consumers, const RecordBatch& batch);

    std::function<bool()> chain_full_;
    Counter* records_out_;
    std::vector<Consumer> consumers_;
    std::vector<Side> sides_;
    bool downstream_failed_ = false;
  };

  Status Restore();
  // Names operator and subtask in an error, unless it comes from a node behind, which named itself.
  Error LocatedError(Error error) const;
  Status Located(Status status) const;

  std::unique_ptr<Operator> operator_;
  OperatorContext context_;
  Router router_;
  std::shared_ptr<const v1::SubtaskRestore> restore_;
  std::shared_ptr<ObjectStorage> restore_storage_;
  KeyedState* keyed_state_ = nullptr;  // null: none, or the job takes no checkpoints
  Counter* records_in_;
  Gauge* input_watermark_;
  Gauge* output_watermark_;
  bool opened_ = false;
};

}  // namespace watershed
