#include "tests/sim/outside.h"

#include <algorithm>
#include <string_view>

#include "runtime/types/planted_bug.h"
#include "tests/support/rows.h"
#include "watershed/v1/job_graph.pb.h"

namespace watershed::sim {
namespace {

class Topic final : public Source {
 public:
  Topic(Outside* outside, SchemaPtr schema) : outside_(outside), schema_(std::move(schema)) {}
  Status Open(std::span<const SourceSplit> splits) override { return AddSplits(splits); }
  Status AddSplits(std::span<const SourceSplit> splits) override {
    for (const SourceSplit& split : splits) {
      positions_.push_back({split.id, split.start_position});
      paused_.push_back(false);
    }
    return Ok();
  }
  Status Poll(PolledRecords& out, int max_records, milliseconds) override {
    out.Clear();
    if (outside_->schedule().random().Chance(outside_->failing_polls)) {
      return ExternalError("the topic cannot be read (injected)");
    }
    std::vector<test::Row> rows;
    bool all_read = true;
    for (size_t i = 0; i < positions_.size(); ++i) {
      const std::vector<Row>& log = outside_->splits.at(positions_[i].split_id);
      const size_t end = outside_->Available(log);
      auto next = static_cast<size_t>(positions_[i].next_position);
      while (!paused_[i] && next < end && std::cmp_less(rows.size(), max_records)) {
        AddRow(log[next++], rows);
        out.row_splits.push_back(static_cast<int32_t>(i));
      }
      positions_[i].next_position = static_cast<int64_t>(next);
      const bool is_finished = outside_->IsFinished(log, next);
      all_read &= is_finished;
      out.progress.push_back({.split_index = static_cast<int32_t>(i),
                              .finished = is_finished,
                              .caught_up = next == end});
    }
    if (!rows.empty()) out.rows = test::MakeBatch(schema_, rows);
    out.finished = all_read && (!outside_->grows || outside_->released());
    return Ok();
  }
  Status Pause(int32_t split) override { return SetPaused(split, true); }
  Status Resume(int32_t split) override { return SetPaused(split, false); }
  std::vector<SplitPosition> Positions() const override { return positions_; }
  void OnCheckpointComplete(std::span<const SplitPosition>) override {}
  void Close() override {}

 private:
  Status SetPaused(int32_t split, bool paused) {
    paused_[static_cast<size_t>(split)] = paused;
    return Ok();
  }
  // The job's schema has the columns that it uses.
  void AddRow(const Row& row, std::vector<test::Row>& rows) const {
    test::Row& cells = rows.emplace_back();
    for (int i = 0; i < schema_->num_fields(); ++i) {
      const std::string& name = schema_->field(i).name;
      if (name == "key") cells.emplace_back(row.key);
      if (name == "id") cells.emplace_back(row.id);
      if (name == "value") cells.emplace_back(row.value);
      if (name == "time") cells.emplace_back(row.time_ms);
    }
  }

  Outside* const outside_;
  const SchemaPtr schema_;
  std::vector<SplitPosition> positions_;
  std::vector<bool> paused_;
};

// Log, then commit with a marker: as a database keeps them in one transaction.
class Table final : public Sink {
 public:
  Table(Outside* outside, const ConnectorContext& context)
      : outside_(outside),
        name_(context.operator_id),
        job_(context.job.hex),
        own_{"", name_, context.subtask.value} {}
  Status Open() override { return MayFail("open"); }
  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId> writers,
                                          Attempt attempt) override {
    WS_RETURN_IF_ERROR(MayFail("fence"));
    attempt_ = attempt.value;
    std::vector<WriterMarker> markers;
    for (const WriterId& writer : writers) {
      const Outside::Writer key(writer.lineage, writer.sink, writer.writer);
      if (writer.writer == std::get<2>(own_)) own_ = key;
      lineage_ = writer.lineage;
      int32_t& fence = outside_->fences[key];
      if (fence > attempt_) return ExternalError("writer {} is of attempt {}", name_, fence);
      fence = attempt_;
      const int64_t marker = outside_->markers.try_emplace(key, -1).first->second;
      known_[key] = marker;
      markers.push_back({writer, {marker}, outside_->committers[key]});
    }
    return markers;
  }
  Status Recover(std::span<const SinkSegment> segments) override {
    WS_RETURN_IF_ERROR(MayFail("recover"));
    return ForEachEpoch(segments, [this](std::span<const SinkSegment> epoch) {
      return Publish({lineage_, name_, epoch[0].writer}, epoch[0].epoch, epoch);
    });
  }
  Status Write(const RecordBatch& batch) override {
    for (const std::string& row : test::RowsAsText(batch)) buffered_ += row + "\n";
    return Ok();
  }
  Result<std::vector<SinkSegment>> Prepare(CheckpointId epoch) override {
    return std::vector<SinkSegment>{
        {epoch, 1, std::exchange(buffered_, {}) + std::string(outside_->padding, '\n')}};
  }
  Status Commit(CheckpointId epoch, std::span<const SinkSegment> segments) override {
    WS_RETURN_IF_ERROR(MayFail("commit"));
    WS_RETURN_IF_ERROR(Publish(own_, epoch, segments));
    if (outside_->schedule().random().Chance(outside_->lost_answers)) {
      outcome_unknown_ = true;
      return TransientError("the answer to the commit is lost (injected)");
    }
    return Ok();
  }
  Status Flush() override { return Ok(); }
  bool keeps_markers() const override { return true; }
  int64_t buffered_bytes() const override { return static_cast<int64_t>(buffered_.size()); }
  void Close() override {}

 private:
  Status MayFail(std::string_view call) const {
    if (!outside_->schedule().random().Chance(outside_->call_failures)) return Ok();
    return TransientError("{}: the target is away (injected)", call);
  }
  // One transaction: all segments of one epoch of one writer, and its marker.
  Status Publish(const Outside::Writer& writer, CheckpointId epoch,
                 std::span<const SinkSegment> segments) {
    const int32_t fence = outside_->fences[writer];
    if (fence != attempt_ && !IsPlanted(PlantedBug::kNoFencing)) {
      ++outside_->refused_commits;
      return ExternalError("attempt {} was fenced by attempt {}", attempt_, fence);
    }
    int64_t& marker = outside_->markers.try_emplace(writer, -1).first->second;
    if (!outside_->reads_marker_once || std::exchange(outcome_unknown_, false)) {
      known_[writer] = marker;
    }
    const bool is_there = epoch.value <= known_[writer];
    if (is_there && !IsPlanted(PlantedBug::kSegmentCommittedTwice)) return Ok();
    std::string all;
    for (const SinkSegment& segment : segments) {
      WS_ASSIGN_OR_RETURN(const SinkPayload::Bytes bytes, segment.payload.Read());
      all += *bytes;
    }
    marker = known_[writer] = epoch.value;
    outside_->committers[writer] = job_;
    if (IsPlanted(PlantedBug::kMarkerOutsideTransaction)) WS_RETURN_IF_ERROR(BeginAnother());
    if (outside_->on_commit) outside_->on_commit({writer, epoch.value, attempt_, fence});
    std::string_view rows = all;
    while (!rows.empty()) {
      const size_t end = rows.find('\n');
      if (end > 0) ++outside_->visible[name_][std::string(rows.substr(0, end))];
      rows.remove_prefix(end + 1);
    }
    return Ok();
  }
  // What may happen between two transactions.
  Status BeginAnother() {
    Random& random = outside_->schedule().random();
    if (outside_->client_dies && random.Chance(500)) return TransientError("the client is gone");
    return outside_->call_failures > 0 ? MayFail("second transaction") : Ok();
  }

  Outside* const outside_;
  const std::string name_;
  const std::string job_;
  Outside::Writer own_;
  std::string lineage_;
  int32_t attempt_ = 0;
  std::map<Outside::Writer, int64_t> known_;  // their markers
  bool outcome_unknown_ = false;              // of the last commit
  std::string buffered_;
};

class Splits final : public SplitEnumerator {
 public:
  explicit Splits(Outside* outside) : outside_(outside) {}
  Result<std::vector<SourceSplit>> Discover() override {
    std::vector<SourceSplit> splits;
    for (const auto& [id, rows] : outside_->splits) {
      SourceSplit split{.id = id, .topic = "events"};
      split.partition = static_cast<int32_t>(splits.size());
      if (!outside_->grows) split.end_position = static_cast<int64_t>(rows.size());
      splits.push_back(std::move(split));
    }
    return splits;
  }

 private:
  Outside* const outside_;
};

class Connectors final : public ConnectorFactory {
 public:
  explicit Connectors(Outside* outside) : outside_(outside) {}
  Result<std::unique_ptr<SplitEnumerator>> MakeSplitEnumerator(
      const v1::Connector&, const ConnectorContext&) const override {
    return std::make_unique<Splits>(outside_);
  }
  Result<std::unique_ptr<Source>> MakeSource(const v1::Connector&, SchemaPtr schema,
                                             const ConnectorContext&) const override {
    return std::make_unique<Topic>(outside_, std::move(schema));
  }
  Result<std::unique_ptr<Sink>> MakeSink(const v1::Connector&, SchemaPtr, std::unique_ptr<Encoder>,
                                         const ConnectorContext& context) const override {
    return std::make_unique<Table>(outside_, context);
  }

 private:
  Outside* const outside_;
};

}  // namespace

bool Outside::IsFinished(const std::vector<Row>& rows, size_t position) const {
  return position == rows.size() && (!grows || released_);
}

size_t Outside::Available(const std::vector<Row>& rows) const {
  if (grows) return rows.size();
  const size_t limit = released_ ? rows.size() : rows.size() - std::min(rows.size(), kHeldBack);
  const auto passed = static_cast<size_t>((schedule_->Steady() - began_) / pace);
  return released_ ? limit : std::min(limit, passed);
}

size_t Outside::rows() const {
  size_t count = 0;
  for (const auto& [id, rows] : splits) count += rows.size();
  return count;
}

std::unique_ptr<ConnectorFactory> MakeConnectors(Outside* outside) {
  return std::make_unique<Connectors>(outside);
}

}  // namespace watershed::sim
