// The end of a chain where rows leave for the subtasks of another vertex: each row to the subtask that
// owns its key's group, everything else to all of them.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/engine/chain_node.h"
#include "runtime/engine/mailbox.h"
#include "runtime/exchange/channel.h"
#include "runtime/types/key_encoding.h"

namespace watershed {

// One thread.
class EdgeWriter final : public ChainNode {
 public:
  struct Options {
    std::vector<int> key_columns;  // empty: all rows have the same, empty key
    int32_t max_parallelism = kDefaultMaxParallelism;
    int64_t batch_size_bytes = 64 << 10;
    std::chrono::milliseconds buffer_timeout{10};
  };

  // One sender per downstream subtask, in their order. `records_out` and `bytes_out` count what was
  // written to channels.
  EdgeWriter(SchemaPtr schema, std::vector<std::unique_ptr<ChannelSender>> senders, Options options,
             std::shared_ptr<Mailbox> mailbox, const Clock* clock, Counter* records_out,
             Counter* bytes_out);
  ~EdgeWriter() override { EdgeWriter::Close(); }

  Status Open() override { return Ok(); }
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
    std::unique_ptr<BatchBuilder> open;   // rows not sent yet
    std::deque<StreamElement> waiting;    // found no room
    std::vector<int32_t> rows;            // of the batch being scattered
  };
  void Scatter(const RecordBatch& batch);
  void Send(Target& target, StreamElement element);
  void SendOpen(Target& target);
  void SendRows(Target& target, RecordBatch batch);
  void Broadcast(const StreamElement& event);
  void StartTimer();

  SchemaPtr schema_;
  std::vector<Target> targets_;
  Options options_;
  std::shared_ptr<Mailbox> mailbox_;
  const Clock* clock_;
  Counter* records_out_;
  Counter* bytes_out_;
  KeyBatch keys_;
  std::optional<Mailbox::TimerId> timer_;
  int64_t waiting_ = 0;  // elements in all queues
  bool ended_ = false;
};

}  // namespace watershed
