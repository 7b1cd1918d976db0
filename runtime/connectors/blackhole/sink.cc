#include "runtime/connectors/blackhole/sink.h"

#include "runtime/metrics/names.h"

namespace watershed {
namespace {

class BlackholeSink : public Sink {
 public:
  explicit BlackholeSink(MetricGroup* metrics)
      : rows_(metrics != nullptr ? &metrics->counter(metric_names::kBlackholeRows) : nullptr) {}

  Status Open() override { return Ok(); }
  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId>, Attempt) override {
    return std::vector<WriterMarker>();
  }
  Status Recover(std::span<const SinkSegment>) override { return Ok(); }
  Status Write(const RecordBatch& batch) override {
    if (rows_ != nullptr) rows_->Add(batch.num_rows());
    return Ok();
  }
  Result<std::vector<SinkSegment>> Prepare(CheckpointId) override {
    return std::vector<SinkSegment>();
  }
  Status Commit(CheckpointId, std::span<const SinkSegment>) override { return Ok(); }
  Status Flush() override { return Ok(); }
  int64_t buffered_bytes() const override { return 0; }
  void Close() override {}

 private:
  Counter* rows_;
};

}  // namespace

std::unique_ptr<Sink> MakeBlackholeSink(const ConnectorContext& context) {
  return std::make_unique<BlackholeSink>(context.metrics);
}

}  // namespace watershed
