// An outside world for tests of checkpoints: a replayable log of rows per split, and a target that
// takes each epoch of each writer once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/engine/connector_factory.h"
#include "tests/support/rows.h"
#include "tests/unit/engine/rows.h"

namespace watershed {

struct LogWorld {
  // Rows of each split; a bounded source ends behind the last.
  std::map<std::string, std::vector<KeyAndTime>> log;
  bool bounded = true;
  size_t rows_per_poll = 3;
  std::map<std::string, size_t> available;                      // absent: all rows
  std::vector<std::pair<std::string, int64_t>> told_positions;  // by OnCheckpointComplete

  // Of the target: what a reader of it would see.
  std::multiset<std::string> visible;
  std::map<int32_t, int64_t> markers;  // writer -> epoch
  std::map<int32_t, Attempt> fences;   // writer -> who may commit
  std::vector<std::string> commits;    // "writer/epoch", in their order
  std::deque<Error> commit_errors;
  bool writes_at_once = false;
  size_t padding = 0;  // bytes added to every segment's payload

  // That the visible windows have counted.
  int64_t rows_visible() const {
    int64_t rows = 0;
    for (const std::string& row : visible) rows += std::stoll(row.substr(row.rfind('|') + 1));
    return rows;
  }
};

class LogSource final : public Source {
 public:
  explicit LogSource(std::shared_ptr<LogWorld> world) : world_(std::move(world)) {}
  Status Open(std::span<const SourceSplit> splits) override { return AddSplits(splits); }
  Status AddSplits(std::span<const SourceSplit> splits) override {
    for (const SourceSplit& split : splits) positions_.push_back({split.id, split.start_position});
    return Ok();
  }
  Status Poll(PolledRecords& out, int, std::chrono::milliseconds) override {
    out.Clear();
    std::vector<KeyAndTime> rows;
    bool all_read = true;
    for (size_t i = 0; i < positions_.size(); ++i) {
      const std::vector<KeyAndTime>& log = world_->log.at(positions_[i].split_id);
      auto next = static_cast<size_t>(positions_[i].next_position);
      const size_t end = Available(positions_[i].split_id, log.size());
      for (size_t n = 0; n < world_->rows_per_poll && next < end; ++n, ++next) {
        rows.push_back(log[next]);
        out.row_splits.push_back(static_cast<int32_t>(i));
      }
      positions_[i].next_position = static_cast<int64_t>(next);
      const bool finished = world_->bounded && next == log.size();
      all_read &= finished;
      out.progress.push_back({.split_index = static_cast<int32_t>(i), .finished = finished});
    }
    if (!rows.empty()) out.rows = Rows(rows);
    out.finished = world_->bounded && all_read;
    return Ok();
  }
  Status Pause(int32_t) override { return Ok(); }
  Status Resume(int32_t) override { return Ok(); }
  std::vector<SplitPosition> Positions() const override { return positions_; }
  void OnCheckpointComplete(std::span<const SplitPosition> positions) override {
    for (const SplitPosition& position : positions) {
      world_->told_positions.emplace_back(position.split_id, position.next_position);
    }
  }
  void Close() override {}

 private:
  size_t Available(const std::string& split, size_t all) const {
    const auto limit = world_->available.find(split);
    return limit == world_->available.end() ? all : std::min(all, limit->second);
  }
  std::shared_ptr<LogWorld> world_;
  std::vector<SplitPosition> positions_;
};

// Exactly-once as the protocol has it: fence, marker, replay of what lies above it.
class LogSink final : public Sink {
 public:
  LogSink(std::shared_ptr<LogWorld> world, int32_t writer)
      : world_(std::move(world)), writer_(writer) {}
  Status Open() override { return Ok(); }
  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId> writers,
                                          Attempt attempt) override {
    attempt_ = attempt;
    std::vector<WriterMarker> markers;
    for (const WriterId& writer : writers) {
      world_->fences[writer.writer] = attempt;
      const auto marker = world_->markers.find(writer.writer);
      markers.push_back({writer, {marker == world_->markers.end() ? -1 : marker->second}});
    }
    return markers;
  }
  Status Recover(std::span<const SinkSegment> segments) override {
    return ForEachEpoch(segments, [this](std::span<const SinkSegment> epoch) {
      return Publish(epoch[0].writer, epoch[0].epoch, epoch);
    });
  }
  Status Write(const RecordBatch& batch) override {
    for (const std::string& row : test::RowsAsText(batch)) buffered_ += row + "\n";
    return Ok();
  }
  Result<std::vector<SinkSegment>> Prepare(CheckpointId epoch) override {
    std::string payload = std::exchange(buffered_, {});
    const auto rows = std::count(payload.begin(), payload.end(), '\n');
    payload.append(world_->padding, '\n');
    return std::vector<SinkSegment>{{epoch, rows, std::move(payload)}};
  }
  Status Commit(CheckpointId epoch, std::span<const SinkSegment> segments) override {
    if (!world_->commit_errors.empty()) {
      Error error = std::move(world_->commit_errors.front());
      world_->commit_errors.pop_front();
      return tl::make_unexpected(std::move(error));
    }
    return Publish(writer_, epoch, segments);
  }
  Status Flush() override { return Ok(); }
  bool keeps_markers() const override { return true; }
  bool writes_at_once() const override { return world_->writes_at_once; }
  int64_t buffered_bytes() const override { return static_cast<int64_t>(buffered_.size()); }
  void Close() override {}

 private:
  Status Publish(int32_t writer, CheckpointId epoch, std::span<const SinkSegment> segments) {
    if (world_->fences.at(writer) != attempt_) return InternalError("a zombie commits");
    const auto [marker, is_new] = world_->markers.try_emplace(writer, -1);
    if (epoch.value <= marker->second) return Ok();
    std::string all;
    for (const SinkSegment& segment : segments) {
      if (segment.epoch != epoch) return InternalError("a segment of another epoch");
      WS_ASSIGN_OR_RETURN(const SinkPayload::Bytes bytes, segment.payload.Read());
      all += *bytes;
    }
    marker->second = epoch.value;
    world_->commits.push_back(fmt::format("{}/{}", writer, epoch.value));
    std::string_view rows = all;
    while (!rows.empty()) {
      const size_t end = rows.find('\n');
      if (end > 0) world_->visible.emplace(rows.substr(0, end));
      rows.remove_prefix(end + 1);
    }
    return Ok();
  }
  std::shared_ptr<LogWorld> world_;
  int32_t writer_;
  Attempt attempt_;
  std::string buffered_;
};

class LogConnectors final : public ConnectorFactory {
 public:
  explicit LogConnectors(std::shared_ptr<LogWorld> world) : world_(std::move(world)) {}
  Result<std::unique_ptr<SplitEnumerator>> MakeSplitEnumerator(
      const v1::Connector&, const ConnectorContext&) const override {
    return InternalError("the test hands out the splits");
  }
  Result<std::unique_ptr<Source>> MakeSource(const v1::Connector&, SchemaPtr,
                                             const ConnectorContext&) const override {
    return std::make_unique<LogSource>(world_);
  }
  Result<std::unique_ptr<Sink>> MakeSink(const v1::Connector&, SchemaPtr, std::unique_ptr<Encoder>,
                                         const ConnectorContext& context) const override {
    return std::make_unique<LogSink>(world_, context.subtask.value);
  }

 private:
  std::shared_ptr<LogWorld> world_;
};

}  // namespace watershed
