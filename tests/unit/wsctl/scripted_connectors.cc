#include "scripted_connectors.h"

#include <thread>

namespace watershed {

void SourceScript::Add(std::string host, int64_t event_time_ms) {
  std::lock_guard lock(mutex_);
  rows_.emplace_back(std::move(host), event_time_ms);
}

void SourceScript::SetLag(int64_t lag_records) {
  std::lock_guard lock(mutex_);
  lag_records_ = lag_records;
}

class ScriptedSource : public Source {
 public:
  ScriptedSource(SourceScript* script, SchemaPtr schema)
      : script_(script), builder_(std::move(schema)) {}

  Status Open(std::span<const SourceSplit> splits) override {
    has_split_ = !splits.empty();
    return Ok();
  }
  Status AddSplits(std::span<const SourceSplit>) override { return Ok(); }
  Status Poll(PolledRecords& out, int, std::chrono::milliseconds deadline) override {
    out.Clear();
    if (!has_split_) return Ok();
    {
      std::lock_guard lock(script_->mutex_);
      for (; !script_->rows_.empty(); script_->rows_.pop_front()) {
        Append(script_->rows_.front().first, script_->rows_.front().second);
      }
      out.progress.push_back({.split_index = 0, .lag = script_->lag_records_});
    }
    if (builder_.num_rows() > 0) {
      position_ += builder_.num_rows();
      out.rows = builder_.Finish();
    } else {
      std::this_thread::sleep_for(deadline);
    }
    return Ok();
  }
  Status Pause(int32_t) override { return Ok(); }
  Status Resume(int32_t) override { return Ok(); }
  std::vector<SplitPosition> Positions() const override {
    return {{.split_id = "scripted-0", .next_position = position_}};
  }
  void OnCheckpointComplete(std::span<const SplitPosition>) override {}
  void Close() override {}

 private:
  void Append(const std::string& host, int64_t event_time_ms) {
    for (int i = 0; i < builder_.schema()->num_fields(); ++i) {
      if (builder_.column(i).type().kind == TypeKind::kString) {
        builder_.column(i).AppendString(host);
      } else {
        builder_.column(i).AppendInt64(event_time_ms);
      }
    }
    builder_.FinishRow();
  }

  SourceScript* script_;
  BatchBuilder builder_;
  bool has_split_ = false;
  int64_t position_ = 0;
};

namespace {

class OneSplit : public SplitEnumerator {
 public:
  Result<std::vector<SourceSplit>> Discover() override {
    return std::vector<SourceSplit>{{.id = "scripted-0", .topic = "scripted", .partition = 0}};
  }
};

}  // namespace

Result<std::unique_ptr<SplitEnumerator>> ScriptedConnectors::MakeSplitEnumerator(
    const v1::Connector&, const ConnectorContext&) const {
  return std::make_unique<OneSplit>();
}

Result<std::unique_ptr<Source>> ScriptedConnectors::MakeSource(const v1::Connector&,
                                                               SchemaPtr schema,
                                                               const ConnectorContext&) const {
  return std::make_unique<ScriptedSource>(script_, std::move(schema));
}

Result<std::unique_ptr<Sink>> ScriptedConnectors::MakeSink(const v1::Connector& connector,
                                                           SchemaPtr schema,
                                                           std::unique_ptr<Encoder> encoder,
                                                           const ConnectorContext& context) const {
  return BuiltInConnectors().MakeSink(connector, std::move(schema), std::move(encoder), context);
}

}  // namespace watershed
