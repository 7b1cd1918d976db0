#include "tests/unit/taskmanager/scripted_connectors.h"

#include <numeric>
#include <optional>
#include <utility>

namespace watershed {

class ScriptedConnectors::CountingSink final : public Sink {
 public:
  CountingSink(const ScriptedConnectors* script, std::optional<Error> failure)
      : script_(script), failure_(std::move(failure)) {}

  Status Open() override { return Ok(); }
  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId>, Attempt) override {
    return std::vector<WriterMarker>();
  }
  Status Recover(std::span<const SinkSegment>) override { return Ok(); }
  Status Write(const RecordBatch& batch) override {
    if (failure_) return tl::make_unexpected(*failure_);
    const auto counts = batch.column(batch.num_columns() - 1).Int64s();
    const std::lock_guard lock(script_->mutex_);
    script_->rows_counted_ += std::accumulate(counts.begin(), counts.end(), int64_t{0});
    return Ok();
  }
  Result<std::vector<SinkSegment>> Prepare(CheckpointId) override {
    return std::vector<SinkSegment>();
  }
  Status Commit(CheckpointId, std::span<const SinkSegment>) override { return Ok(); }
  Status Flush() override { return Ok(); }
  int64_t buffered_bytes() const override { return 0; }
  void Close() override {
    const std::lock_guard lock(script_->mutex_);
    ++script_->closed_sinks_;
    script_->sink_closed_.notify_all();
  }

 private:
  const ScriptedConnectors* script_;
  const std::optional<Error> failure_;
};

void ScriptedConnectors::FailDiscovery(Error error) {
  const std::lock_guard lock(mutex_);
  discovery_failures_.push_back(std::move(error));
}

void ScriptedConnectors::FailSink(int32_t subtask, Error error) {
  const std::lock_guard lock(mutex_);
  sink_failures_[subtask] = std::move(error);
}

int64_t ScriptedConnectors::rows_counted() const {
  const std::lock_guard lock(mutex_);
  return rows_counted_;
}

void ScriptedConnectors::WaitForClosedSinks(int count) {
  std::unique_lock lock(mutex_);
  sink_closed_.wait(lock, [&] { return closed_sinks_ >= count; });
}

Result<std::unique_ptr<SplitEnumerator>> ScriptedConnectors::MakeSplitEnumerator(
    const v1::Connector& connector, const ConnectorContext& context) const {
  {
    const std::lock_guard lock(mutex_);
    if (!discovery_failures_.empty()) {
      Error error = std::move(discovery_failures_.front());
      discovery_failures_.pop_front();
      return tl::make_unexpected(std::move(error));
    }
  }
  return BuiltInConnectors().MakeSplitEnumerator(connector, context);
}

Result<std::unique_ptr<Source>> ScriptedConnectors::MakeSource(
    const v1::Connector& connector, SchemaPtr schema, const ConnectorContext& context) const {
  return BuiltInConnectors().MakeSource(connector, std::move(schema), context);
}

Result<std::unique_ptr<Sink>> ScriptedConnectors::MakeSink(const v1::Connector&, SchemaPtr,
                                                           std::unique_ptr<Encoder>,
                                                           const ConnectorContext& context) const {
  const std::lock_guard lock(mutex_);
  const auto failure = sink_failures_.find(context.subtask.value);
  return std::make_unique<CountingSink>(
      this, failure == sink_failures_.end() ? std::nullopt : std::optional(failure->second));
}

}  // namespace watershed
