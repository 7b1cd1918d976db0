#include "tests/golden/line_connectors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "watershed/v1/types.pb.h"

namespace watershed::golden {
namespace {

class LineEnumerator final : public SplitEnumerator {
 public:
  LineEnumerator(const Board* board, std::string source)
      : board_(board), source_(std::move(source)) {}
  Result<std::vector<SourceSplit>> Discover() override {
    std::vector<SourceSplit> splits;
    for (const Lines& lines : board_->input(source_)) {
      const int partition = static_cast<int>(splits.size());
      splits.push_back({.id = source_ + "-" + std::to_string(partition),
                        .topic = source_,
                        .partition = partition,
                        .end_position = static_cast<int64_t>(lines.size())});
    }
    return splits;
  }

 private:
  const Board* board_;
  std::string source_;
};

// Partitions take turns.
class LineSource final : public Source {
 public:
  LineSource(Board* board, std::string source, LineConnectorOptions options)
      : board_(board), input_(board->input(source)), options_(options) {}

  Status Open(std::span<const SourceSplit> splits) override { return AddSplits(splits); }
  Status AddSplits(std::span<const SourceSplit> splits) override {
    for (const SourceSplit& split : splits) splits_.push_back({split, split.start_position, false});
    return Ok();
  }
  Status Poll(PolledRecords& out, int, std::chrono::milliseconds) override {
    out.Clear();
    if (!splits_.empty() && !std::exchange(begun_, true)) {
      board_->AwaitClosedSources(options_.idle_subtasks);
    }
    for (int i = 0; i < options_.records_per_poll; ++i) AddNext(out);
    for (size_t i = 0; i < splits_.size(); ++i) {
      if (!splits_[i].finished()) continue;
      out.progress.push_back({.split_index = static_cast<int32_t>(i), .finished = true, .lag = 0});
    }
    out.finished = std::all_of(splits_.begin(), splits_.end(),
                               [](const OpenSplit& split) { return split.finished(); });
    return Ok();
  }
  Status Pause(int32_t split_index) override { return SetPaused(split_index, true); }
  Status Resume(int32_t split_index) override { return SetPaused(split_index, false); }
  std::vector<SplitPosition> Positions() const override {
    std::vector<SplitPosition> positions;
    for (const OpenSplit& open : splits_) positions.push_back({open.split.id, open.position});
    return positions;
  }
  void OnCheckpointComplete(std::span<const SplitPosition>) override {}
  void Close() override { board_->OnSourceClosed(); }

 private:
  struct OpenSplit {
    SourceSplit split;
    int64_t position;
    bool paused;
    bool finished() const { return position >= *split.end_position; }
  };

  Status SetPaused(int32_t split_index, bool paused) {
    splits_[static_cast<size_t>(split_index)].paused = paused;
    return Ok();
  }

  void AddNext(PolledRecords& out) {
    for (size_t tried = 0; tried < splits_.size(); ++tried) {
      const size_t index = turn_++ % splits_.size();
      OpenSplit& open = splits_[index];
      if (open.finished() || open.paused) continue;
      const Lines& lines = input_[static_cast<size_t>(open.split.partition)];
      out.raw.push_back({.value = lines[static_cast<size_t>(open.position)],
                         .split_index = static_cast<int32_t>(index),
                         .position = open.position});
      ++open.position;
      return;
    }
  }

  Board* board_;
  const std::vector<Lines>& input_;
  LineConnectorOptions options_;
  std::vector<OpenSplit> splits_;
  size_t turn_ = 0;
  bool begun_ = false;
};

std::string TimestampText(int64_t time_ms) {
  int64_t days = time_ms / 86'400'000;
  int64_t ms = time_ms % 86'400'000;
  if (ms < 0) ms += 86'400'000, --days;
  // Days to a civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", year, month, day, ms / 3'600'000,
                     ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

nlohmann::json Value(const Column& column, int64_t row) {
  if (column.IsNull(row)) return nullptr;
  const auto i = static_cast<size_t>(row);
  switch (column.type().kind) {
    case TypeKind::kBool:
      return column.Bools()[i] != 0;
    case TypeKind::kInt32:
      return column.Int32s()[i];
    case TypeKind::kInt64:
      return column.Int64s()[i];
    case TypeKind::kDouble:
      return column.Doubles()[i];
    case TypeKind::kTimestampMs:
      return TimestampText(column.Int64s()[i]);
    case TypeKind::kString:
    case TypeKind::kBytes:
      return std::string(column.String(row));
  }
  return nullptr;
}

class CollectSink final : public Sink {
 public:
  CollectSink(Board* board, std::string sink) : board_(board), sink_(std::move(sink)) {}
  Status Open() override { return Ok(); }
  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId>, Attempt) override {
    return std::vector<WriterMarker>{};
  }
  Status Recover(std::span<const SinkSegment>) override { return Ok(); }
  Status Write(const RecordBatch& batch) override {
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      nlohmann::json object = nlohmann::json::object();
      for (int i = 0; i < batch.num_columns(); ++i) {
        object[batch.schema()->field(i).name] = Value(batch.column(i), row);
      }
      buffer_ += object.dump() + "\n";
    }
    return Ok();
  }
  Result<std::vector<SinkSegment>> Prepare(CheckpointId epoch) override {
    return std::vector<SinkSegment>{{epoch, 0, std::exchange(buffer_, {})}};
  }
  Status Commit(CheckpointId, std::span<const SinkSegment> segments) override {
    for (const SinkSegment& segment : segments) {
      WS_ASSIGN_OR_RETURN(const SinkPayload::Bytes rows, segment.payload.Read());
      board_->AddRows(sink_, *rows);
    }
    return Ok();
  }
  Status Flush() override { return Ok(); }
  int64_t buffered_bytes() const override { return static_cast<int64_t>(buffer_.size()); }
  void Close() override {}

 private:
  Board* board_;
  std::string sink_;
  std::string buffer_;
};

class LineConnectors final : public ConnectorFactory {
 public:
  LineConnectors(Board* board, LineConnectorOptions options) : board_(board), options_(options) {}

  Result<std::unique_ptr<SplitEnumerator>> MakeSplitEnumerator(
      const v1::Connector&, const ConnectorContext& context) const override {
    return std::make_unique<LineEnumerator>(board_, context.operator_id);
  }
  Result<std::unique_ptr<Source>> MakeSource(const v1::Connector&, SchemaPtr,
                                             const ConnectorContext& context) const override {
    return std::make_unique<LineSource>(board_, context.operator_id, options_);
  }
  Result<std::unique_ptr<Sink>> MakeSink(const v1::Connector&, SchemaPtr, std::unique_ptr<Encoder>,
                                         const ConnectorContext& context) const override {
    return std::make_unique<CollectSink>(board_, context.operator_id);
  }

 private:
  Board* board_;
  LineConnectorOptions options_;
};

}  // namespace

std::span<const ConnectorSpec> LineConnectorSpecs() {
  static const std::vector<ConnectorSpec> specs = {
      {.name = "collect", .is_sink = true},
      {.name = "lines", .is_source = true, .needs_format = true},
  };
  return specs;
}

const std::vector<Lines>& Board::input(const std::string& source) const {
  return golden_.input.at(source);
}

void Board::AddRows(const std::string& sink, const std::string& json_lines) {
  std::lock_guard lock(mutex_);
  size_t begin = 0;
  for (size_t end = 0; (end = json_lines.find('\n', begin)) != std::string::npos; begin = end + 1) {
    rows_[sink].push_back(json_lines.substr(begin, end - begin));
  }
}

std::map<std::string, Lines> Board::TakeRows() {
  std::lock_guard lock(mutex_);
  return std::exchange(rows_, {});
}

void Board::OnSourceClosed() {
  std::lock_guard lock(mutex_);
  ++closed_sources_;
  changed_.notify_all();
}

void Board::AwaitClosedSources(int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_sources_ >= count; });
}

std::unique_ptr<ConnectorFactory> MakeLineConnectors(Board* board, LineConnectorOptions options) {
  return std::make_unique<LineConnectors>(board, options);
}

}  // namespace watershed::golden
