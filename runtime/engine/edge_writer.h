// The end of a chain where rows leave for the subtasks of another vertex: each row to the subtask
// that owns its key's group, everything else to all of them.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/engine/chain_node.h"
#include "runtime/engine/mailbox.h"
#include "runtime/exchange/channel.h"
#include "runtime/exchange/key_partitioner.h"

namespace watershed {

// One thread.
class EdgeWriter final : public ChainNode {
 public:
  struct Parameters {
    SchemaPtr schema;
    KeyPartitionerOptions partitioning;  // its parallelism is the number of senders
    std::chrono::milliseconds buffer_timeout{10};
    std::shared_ptr<Mailbox> mailbox;
    const Clock* clock = nullptr;
    Counter* records_out = nullptr;  // the task's: what was written to channels
    Counter* bytes_out = nullptr;
  };

  // One sender per downstream subtask, in their order.
  EdgeWriter(std::vector<std::unique_ptr<ChannelSender>> senders, Parameters parameters);
  ~EdgeWriter() override { EdgeWriter::Close(); }

  Result<Progress> Open() override { return Progress::kDone; }
  Status Process(int input, const RecordBatch& batch) override;
  Status Flush() override;
  Result<Progress> OnWatermark(TimestampMs time_ms) override;
  Status OnWatermarkStatus(WatermarkStatus status) override;
  Status OnBarrier(const Barrier& barrier) override;
  Result<Progress> EndOfInput() override;
  void Close() override;
  bool full() const override { return waiting_ > 0; }
  Status ResumeOutput() override;

 private:
  struct Target {
    std::unique_ptr<ChannelSender> sender;
    std::deque<StreamElement> waiting;  // found no room
  };
  void SendReady();
  void SendRows(Target& target, RecordBatch batch);
  void Send(Target& target, StreamElement element);
  void Broadcast(const StreamElement& event);
  void StartTimer();
  void StopTimer();

  Parameters parameters_;
  KeyPartitioner partitioner_;
  std::vector<PartitionedBatch> ready_;  // reused
  std::vector<Target> targets_;
  std::optional<Mailbox::TimerId> timer_;
  int64_t waiting_ = 0;  // elements in all queues
  bool ended_ = false;
};

}  // namespace watershed
