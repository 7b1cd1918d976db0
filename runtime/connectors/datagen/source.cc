#include "runtime/connectors/datagen/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/connectors/datagen/options.h"
#include "runtime/connectors/datagen/web_traffic.h"

namespace watershed {
namespace {

using std::chrono::nanoseconds;

// After a stall the source catches up with its rate, but not by more than this.
constexpr nanoseconds kMaxCatchUp = std::chrono::seconds(1);
constexpr int64_t kNsPerMs = 1'000'000;

struct Shard {
  std::string id;
  int64_t remainder = 0;
  int64_t modulus = 1;
  int64_t position = 0;  // the next row is number position * modulus + remainder
  std::optional<int64_t> end_position;
  bool paused = false;
  bool finish_told = false;

  bool finished() const { return end_position && position >= *end_position; }
  int64_t row_number() const { return position * modulus + remainder; }
};

Result<Shard> MakeShard(const SourceSplit& split) {
  Shard shard{.id = split.id, .position = split.start_position, .end_position = split.end_position};
  int one_based = 0, modulus = 0;
  if (std::sscanf(split.id.c_str(), "shard-%d-of-%d", &one_based, &modulus) != 2 || one_based < 1 ||
      one_based > modulus) {
    return InternalError("datagen was given the split '{}', which is none of its own", split.id);
  }
  shard.remainder = one_based - 1;
  shard.modulus = modulus;
  return shard;
}

class DatagenSource : public Source {
 public:
  DatagenSource(const DatagenOptions& options, WebTraffic rows, SchemaPtr schema,
                const Clock* clock)
      : options_(options), rows_(std::move(rows)), builder_(std::move(schema)), clock_(clock) {
    // Without a rate and an end, numbered event times would run away from the clock.
    follows_clock_ = !options.start_ms && !options.number_of_rows && options.rows_per_second == 0;
  }

  Status Open(std::span<const SourceSplit> splits) override {
    opened_at_ = clock_->Steady();
    return AddSplits(splits);
  }

  Status AddSplits(std::span<const SourceSplit> splits) override {
    for (const SourceSplit& split : splits) {
      WS_ASSIGN_OR_RETURN(Shard shard, MakeShard(split));
      if (!base_time_ms_) base_time_ms_ = BaseTimeMs(shard);
      shards_.push_back(std::move(shard));
    }
    return Ok();
  }

  Status Poll(PolledRecords& out, int max_records, std::chrono::milliseconds deadline) override {
    out.Clear();
    TellFinished(out);
    const int64_t due = WaitForDue(max_records, deadline);
    for (size_t i = 0; i < shards_.size() && builder_.num_rows() < due; ++i) {
      // Shards take turns, so that their event times advance together.
      const size_t index = (turn_ + i) % shards_.size();
      const int64_t share = (due - builder_.num_rows()) / static_cast<int64_t>(shards_.size() - i);
      AppendRows(shards_[index], std::max<int64_t>(share, 1), static_cast<int32_t>(index), out);
    }
    if (!shards_.empty()) turn_ = (turn_ + 1) % shards_.size();
    if (builder_.num_rows() > 0) {
      produced_ += builder_.num_rows();
      out.rows = builder_.Finish();
    }
    TellFinished(out);
    return Ok();
  }

  Status Pause(int32_t split_index) override {
    shards_.at(static_cast<size_t>(split_index)).paused = true;
    return Ok();
  }
  Status Resume(int32_t split_index) override {
    shards_.at(static_cast<size_t>(split_index)).paused = false;
    return Ok();
  }

  std::vector<SplitPosition> Positions() const override {
    std::vector<SplitPosition> positions;
    positions.reserve(shards_.size());
    for (const Shard& shard : shards_) positions.push_back({shard.id, shard.position});
    return positions;
  }
  void OnCheckpointComplete(std::span<const SplitPosition>) override {}
  void Close() override {}

 private:
  // `start: now` means: the first row made here is of now; of rows limited in number but not in
  // rate the last one is, so that none lies in the future.
  int64_t BaseTimeMs(const Shard& first) const {
    if (options_.start_ms) return *options_.start_ms;
    const bool ends_now = options_.number_of_rows && options_.rows_per_second == 0;
    const int64_t row_of_now = ends_now ? *options_.number_of_rows : first.row_number();
    return clock_->NowMs() - row_of_now * options_.time_step_ns / kNsPerMs;
  }

  double RowsPerSecondHere() const {
    double share = 0;
    for (const Shard& shard : shards_) share += 1.0 / static_cast<double>(shard.modulus);
    return options_.rows_per_second * share;
  }

  bool CanProduce() const {
    return std::any_of(shards_.begin(), shards_.end(),
                       [](const Shard& shard) { return !shard.paused && !shard.finished(); });
  }

  // How many rows may be made now; waits for the first one to be due, not longer than the deadline.
  int64_t WaitForDue(int max_records, nanoseconds deadline) {
    if (!CanProduce()) {
      std::this_thread::sleep_for(AllFinished() ? nanoseconds(0) : deadline);
      return 0;
    }
    if (options_.rows_per_second == 0) return max_records;
    const double ns_per_row = 1e9 / RowsPerSecondHere();
    const nanoseconds elapsed = clock_->Steady() - opened_at_;
    const auto due_at =
        nanoseconds(static_cast<int64_t>(static_cast<double>(produced_ + 1) * ns_per_row));
    if (due_at > elapsed) {
      std::this_thread::sleep_for(std::min(deadline, due_at - elapsed));
    } else if (elapsed - due_at > kMaxCatchUp) {
      opened_at_ += elapsed - due_at - kMaxCatchUp;
    }
    const nanoseconds now = clock_->Steady() - opened_at_;
    const auto due =
        static_cast<int64_t>(static_cast<double>(now.count()) / ns_per_row) - produced_;
    return std::clamp<int64_t>(due, 0, max_records);
  }

  void AppendRows(Shard& shard, int64_t count, int32_t index, PolledRecords& out) {
    if (shard.paused) return;
    if (shard.end_position) count = std::min(count, *shard.end_position - shard.position);
    const int64_t now_ms = follows_clock_ ? clock_->NowMs() : 0;
    for (int64_t i = 0; i < count; ++i, ++shard.position) {
      const int64_t number = shard.row_number();
      const int64_t time_ms =
          follows_clock_ ? now_ms : *base_time_ms_ + number * options_.time_step_ns / kNsPerMs;
      rows_.AppendRow(number, time_ms, builder_);
    }
    if (shards_.size() > 1 && count > 0) {
      out.row_splits.insert(out.row_splits.end(), static_cast<size_t>(count), index);
    }
  }

  bool AllFinished() const {
    return std::all_of(shards_.begin(), shards_.end(),
                       [](const Shard& shard) { return shard.finished(); });
  }

  void TellFinished(PolledRecords& out) {
    for (size_t i = 0; i < shards_.size(); ++i) {
      if (!shards_[i].finished() || shards_[i].finish_told) continue;
      shards_[i].finish_told = true;
      out.progress.push_back({.split_index = static_cast<int32_t>(i), .finished = true, .lag = 0});
    }
    out.finished = options_.number_of_rows.has_value() && AllFinished();
  }

  DatagenOptions options_;
  WebTraffic rows_;
  BatchBuilder builder_;
  const Clock* clock_;
  bool follows_clock_ = false;
  std::vector<Shard> shards_;
  size_t turn_ = 0;
  std::optional<int64_t> base_time_ms_;
  nanoseconds opened_at_{0};
  int64_t produced_ = 0;
};

class DatagenEnumerator : public SplitEnumerator {
 public:
  DatagenEnumerator(const DatagenOptions& options, int32_t shards)
      : options_(options), shards_(shards) {}

  Result<std::vector<SourceSplit>> Discover() override {
    std::vector<SourceSplit> splits;
    for (int32_t i = 0; i < shards_; ++i) {
      SourceSplit split{.id = fmt::format("shard-{}-of-{}", i + 1, shards_)};
      if (options_.number_of_rows) {
        split.end_position = (*options_.number_of_rows - i + shards_ - 1) / shards_;
      }
      splits.push_back(std::move(split));
    }
    return splits;
  }

 private:
  DatagenOptions options_;
  int32_t shards_;
};

}  // namespace

Result<std::unique_ptr<SplitEnumerator>> MakeDatagenEnumerator(const OptionMap& options,
                                                               const ConnectorContext& context) {
  WS_ASSIGN_OR_RETURN(const DatagenOptions parsed, ParseDatagenOptions(options));
  return std::make_unique<DatagenEnumerator>(parsed, std::max(context.parallelism, 1));
}

Result<std::unique_ptr<Source>> MakeDatagenSource(const OptionMap& options, SchemaPtr schema,
                                                  const ConnectorContext& context) {
  WS_ASSIGN_OR_RETURN(const DatagenOptions parsed, ParseDatagenOptions(options));
  WS_ASSIGN_OR_RETURN(WebTraffic rows, WebTraffic::Create(parsed, schema));
  const Clock* clock = context.clock != nullptr ? context.clock : &SystemClock();
  return std::make_unique<DatagenSource>(parsed, std::move(rows), std::move(schema), clock);
}

}  // namespace watershed
