#include "tests/support/operator_harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "runtime/metrics/names.h"
#include "runtime/types/key_encoding.h"
#include "tests/support/rows.h"
#include "tests/support/snapshot_rig.h"
#include "tests/support/test_directory.h"

namespace watershed::test {
namespace {

constexpr int32_t kMaxParallelism = 12;
constexpr int kMaxYields = 1'000'000;

using Sections = std::map<std::string, std::string, std::less<>>;

// What one subtask of an operator left.
struct Part {
  Sections sections;
  std::optional<KeyedStateFiles> keyed_state;
};

class MemoryWriter final : public SnapshotWriter {
 public:
  Status Put(std::string_view section, std::string_view bytes) override {
    EXPECT_TRUE(sections.emplace(section, bytes).second) << "section '" << section << "' put twice";
    return Ok();
  }
  Sections sections;
};

class MemoryReader final : public SnapshotReader {
 public:
  explicit MemoryReader(const std::vector<Part>& parts) : parts_(parts) {}
  std::vector<std::string> Get(std::string_view section) const override {
    std::vector<std::string> found;
    for (const Part& part : parts_) {
      const auto at = part.sections.find(section);
      if (at != part.sections.end()) found.push_back(at->second);
    }
    return found;
  }

 private:
  const std::vector<Part>& parts_;
};

std::vector<KeyedStateFiles> KeyedFiles(const std::vector<Part>& parts) {
  std::vector<KeyedStateFiles> files;
  for (const Part& part : parts) {
    if (part.keyed_state) files.push_back(*part.keyed_state);
  }
  return files;
}

class Directories {
 public:
  std::string Make() {
    const std::string made = fmt::format("{}/{}", parent_.path(), next_++);
    std::filesystem::create_directory(made);
    return made;
  }

 private:
  const TestDirectory parent_;
  int next_ = 0;
};

// One run: the subtasks of the chain as they are just now, and all that came out.
class Run {
 public:
  Run(const OperatorCase& tested, const HarnessVariant& variant)
      : tested_(tested),
        variant_(variant),
        factory_({.backend = variant.backend,
                  .cache_bytes = variant.cache_bytes,
                  .max_dirty_bytes = variant.max_dirty_bytes}) {}

  Status Execute(const std::vector<Item>& items);
  HarnessResult TakeResult();

 private:
  // The output of operator `index` of a subtask: the next operator, or the result.
  class ChainOutput final : public Output {
   public:
    ChainOutput(Run& run, size_t subtask, size_t index)
        : run_(run), subtask_(subtask), index_(index) {}
    Status Emit(RecordBatch batch) override;
    Status EmitSide(std::string_view tag, RecordBatch batch) override;
    bool has_side(std::string_view) const override { return run_.tested_.side_output_connected; }
    bool full() const override { return run_.variant_.output_full && run_.emitted_; }

   private:
    Run& run_;
    size_t subtask_, index_;
  };
  struct Link {
    std::unique_ptr<MetricGroup> metrics;
    std::unique_ptr<Operator> op;
    std::unique_ptr<ChainOutput> output;
  };
  using Subtask = std::vector<Link>;

  Status OpenAll(const std::vector<std::vector<Part>>& parts_per_operator);
  Status Route(const RecordBatch& batch);
  Status RaiseWatermark(TimestampMs time_ms);
  Status SnapshotAndRestore();
  Result<std::vector<std::vector<Part>>> SnapshotAll();
  void CloseAll();

  const OperatorCase& tested_;
  const HarnessVariant& variant_;
  Directories directories_;
  MetricRegistry registry_;
  SnapshotRig rig_;
  KeyedStateFactory factory_;
  std::vector<Subtask> subtasks_;
  size_t next_parallelism_ = 0;
  bool emitted_ = false;
  HarnessResult result_;
};

Status Run::ChainOutput::Emit(RecordBatch batch) {
  EXPECT_GT(batch.num_rows(), 0) << "an empty batch";
  for (const ColumnPtr& column : batch.columns()) EXPECT_EQ(column->size(), batch.num_rows());
  if (index_ + 1 < run_.subtasks_[subtask_].size()) {
    Link& next = run_.subtasks_[subtask_][index_ + 1];
    return next.op->Process(0, batch, *next.output);
  }
  run_.emitted_ = true;
  for (std::string& row : RowsAsText(batch)) run_.result_.rows.push_back(std::move(row));
  return Ok();
}

Status Run::ChainOutput::EmitSide(std::string_view tag, RecordBatch batch) {
  auto& rows = run_.result_.side_rows[std::string(tag)];
  for (std::string& row : RowsAsText(batch)) rows.push_back(std::move(row));
  return Ok();
}

Status Run::OpenAll(const std::vector<std::vector<Part>>& parts_per_operator) {
  const auto& turns = variant_.parallelisms;
  const int32_t parallelism = turns[next_parallelism_++ % turns.size()];
  subtasks_.resize(static_cast<size_t>(parallelism));
  for (int32_t subtask = 0; subtask < parallelism; ++subtask) {
    for (size_t i = 0; i < tested_.chain.size(); ++i) {
      Link link;
      link.metrics = std::make_unique<MetricGroup>(&registry_, MetricLabels{});
      link.output = std::make_unique<ChainOutput>(*this, static_cast<size_t>(subtask), i);
      WS_ASSIGN_OR_RETURN(link.op, tested_.chain[i]());
      OperatorContext context;
      context.job_name = "harness";
      context.operator_id = fmt::format("operator-{}", i);
      context.operator_name = context.operator_id;
      context.subtask = {subtask};
      context.parallelism = parallelism;
      context.max_parallelism = kMaxParallelism;
      context.key_groups = RangeOfSubtask({subtask}, kMaxParallelism, parallelism);
      context.clock = &SystemClock();
      context.metrics = link.metrics.get();
      context.keyed_state = &factory_;
      context.state_directory = directories_.Make();
      context.snapshots = rig_.NewTarget();
      WS_RETURN_IF_ERROR(link.op->Open(context));
      if (!parts_per_operator.empty()) {
        const MemoryReader reader(parts_per_operator[i]);
        if (KeyedState* const state = link.op->keyed_state()) {
          WS_RETURN_IF_ERROR(state->Restore(KeyedFiles(parts_per_operator[i]), rig_.storage()));
        }
        WS_RETURN_IF_ERROR(link.op->Restore(reader));
      }
      subtasks_[static_cast<size_t>(subtask)].push_back(std::move(link));
    }
  }
  return Ok();
}

Status Run::Route(const RecordBatch& batch) {
  std::vector<std::vector<int32_t>> rows(subtasks_.size());
  KeyBatch keys;
  if (tested_.key_columns) EncodeKeys(batch, *tested_.key_columns, keys);
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    SubtaskIndex to{0};
    if (tested_.key_columns) {
      const KeyGroup group = KeyGroupOfHash(keys.hashes[static_cast<size_t>(row)], kMaxParallelism);
      to = SubtaskOfKeyGroup(group, kMaxParallelism, static_cast<int32_t>(subtasks_.size()));
    }
    rows[static_cast<size_t>(to.value)].push_back(static_cast<int32_t>(row));
  }
  for (size_t subtask = 0; subtask < subtasks_.size(); ++subtask) {
    if (rows[subtask].empty()) continue;
    Link& head = subtasks_[subtask].front();
    WS_RETURN_IF_ERROR(head.op->Process(0, Take(batch, rows[subtask]), *head.output));
  }
  return Ok();
}

// In chain order: flush, then the watermark, as the engine does. A yield may be followed by a
// restore, after which the watermark is given to every subtask again.
Status Run::RaiseWatermark(TimestampMs time_ms) {
  for (size_t subtask = 0; subtask < subtasks_.size(); ++subtask) {
    for (size_t i = 0; i < subtasks_[subtask].size(); ++i) {
      Link& link = subtasks_[subtask][i];
      WS_RETURN_IF_ERROR(link.op->Flush(*link.output));
      while (true) {
        WS_ASSIGN_OR_RETURN(const Progress progress, link.op->OnWatermark(time_ms, *link.output));
        if (progress == Progress::kDone) break;
        if (++result_.yields > kMaxYields) return InternalError("it yields for ever");
        EXPECT_TRUE(emitted_) << "it yielded though the output was not full";
        emitted_ = false;
        if (!variant_.restore_after_every_item) continue;
        WS_RETURN_IF_ERROR(SnapshotAndRestore());
        if (variant_.rows_after_yield && time_ms != kMaxWatermarkMs) return Ok();
        return RaiseWatermark(time_ms);
      }
    }
  }
  return Ok();
}

Result<std::vector<std::vector<Part>>> Run::SnapshotAll() {
  std::vector<std::vector<Part>> parts(tested_.chain.size());
  for (Subtask& subtask : subtasks_) {
    for (size_t i = 0; i < subtask.size(); ++i) {
      WS_RETURN_IF_ERROR(subtask[i].op->Flush(*subtask[i].output));
      MemoryWriter writer;
      WS_RETURN_IF_ERROR(subtask[i].op->Snapshot(writer));
      Part part{std::move(writer.sections), std::nullopt};
      if (KeyedState* const state = subtask[i].op->keyed_state()) {
        WS_ASSIGN_OR_RETURN(part.keyed_state, rig_.TakeSnapshot(*state));
      }
      parts[i].push_back(std::move(part));
    }
  }
  return parts;
}

void Run::CloseAll() {
  for (Subtask& subtask : subtasks_) {
    for (Link& link : subtask) {
      link.op->Close();
      result_.late_dropped += link.metrics->counter(metric_names::kLateRecordsDropped).value();
    }
  }
  subtasks_.clear();
}

Status Run::SnapshotAndRestore() {
  WS_ASSIGN_OR_RETURN(const auto parts, SnapshotAll());
  CloseAll();
  return OpenAll(parts);
}

Status Run::Execute(const std::vector<Item>& items) {
  WS_RETURN_IF_ERROR(OpenAll({}));
  for (const Item& item : items) {
    emitted_ = false;
    if (const auto* batch = std::get_if<RecordBatch>(&item)) {
      WS_RETURN_IF_ERROR(Route(*batch));
    } else {
      WS_RETURN_IF_ERROR(RaiseWatermark(std::get<WatermarkItem>(item).time_ms));
    }
    if (variant_.restore_after_every_item) WS_RETURN_IF_ERROR(SnapshotAndRestore());
  }
  for (Subtask& subtask : subtasks_) {
    for (Link& link : subtask) WS_RETURN_IF_ERROR(link.op->EndOfInput(*link.output));
  }
  for (const Subtask& subtask : subtasks_) {
    for (const Link& link : subtask) {
      const KeyedState* const state = link.op->keyed_state();
      EXPECT_TRUE(state == nullptr || state->empty()) << "state is left";
    }
  }
  WS_RETURN_IF_ERROR(SnapshotAll());
  CloseAll();
  return Ok();
}

HarnessResult Run::TakeResult() {
  std::sort(result_.rows.begin(), result_.rows.end());
  for (auto& [tag, rows] : result_.side_rows) std::sort(rows.begin(), rows.end());
  return std::move(result_);
}

RecordBatch Concatenate(const std::vector<RecordBatch>& batches) {
  std::vector<ColumnPtr> columns;
  int64_t rows = 0;
  for (int i = 0; i < batches.front().num_columns(); ++i) {
    auto column = std::make_shared<Column>(batches.front().column(i).type());
    for (const RecordBatch& batch : batches) column->AppendAll(batch.column(i));
    rows = column->size();
    columns.push_back(std::move(column));
  }
  return RecordBatch(batches.front().schema(), std::move(columns), rows);
}

std::vector<Item> CutItems(const std::vector<Item>& items, HarnessVariant::Cut cut) {
  std::vector<Item> made;
  std::vector<RecordBatch> run;
  const auto finish_run = [&] {
    if (!run.empty()) made.emplace_back(Concatenate(run));
    run.clear();
  };
  for (const Item& item : items) {
    const auto* batch = std::get_if<RecordBatch>(&item);
    if (batch == nullptr) {
      finish_run();
      made.push_back(item);
    } else if (cut == HarnessVariant::Cut::kAsGiven) {
      made.push_back(item);
    } else if (cut == HarnessVariant::Cut::kMerged) {
      run.push_back(*batch);
    } else {
      for (int32_t row = 0; row < batch->num_rows(); ++row) {
        made.emplace_back(Take(*batch, std::array{row}));
      }
    }
  }
  finish_run();
  made.emplace_back(WatermarkItem{kMaxWatermarkMs});
  return made;
}

}  // namespace

std::vector<HarnessVariant> AllVariants() {
  using Cut = HarnessVariant::Cut;
  constexpr auto kRocks = StateBackendKind::kRocksDb;
  constexpr int64_t kSmall = 2 << 10;  // a handful of keys
  return {
      {.name = "as given"},
      {.name = "row by row", .cut = Cut::kRowByRow},
      {.name = "merged", .cut = Cut::kMerged},
      {.name = "full output", .output_full = true},
      {.name = "all evicted", .cache_bytes = 1},
      {.name = "all evicted, row by row, full output",
       .cache_bytes = 1,
       .cut = Cut::kRowByRow,
       .output_full = true},
      {.name = "some evicted", .cache_bytes = kSmall},
      {.name = "written back early", .max_dirty_bytes = 1},
      {.name = "parallelism 3", .parallelisms = {3}},
      {.name = "restore, row by row", .cut = Cut::kRowByRow, .restore_after_every_item = true},
      {.name = "restore, full output", .restore_after_every_item = true, .output_full = true},
      {.name = "restore, full output, then rows",
       .restore_after_every_item = true,
       .rows_after_yield = true,
       .output_full = true},
      {.name = "restore, all evicted", .cache_bytes = 1, .restore_after_every_item = true},
      {.name = "restore, rescaled, full output",
       .cache_bytes = kSmall,
       .restore_after_every_item = true,
       .parallelisms = {1, 3, 2},
       .output_full = true},
      {.name = "rocksdb", .backend = kRocks},
      {.name = "rocksdb, all evicted, full output",
       .backend = kRocks,
       .cache_bytes = 1,
       .output_full = true},
      {.name = "rocksdb, restore, rescaled",
       .backend = kRocks,
       .cache_bytes = kSmall,
       .max_dirty_bytes = 1 << 10,
       .restore_after_every_item = true,
       .parallelisms = {2, 1}},
  };
}

HarnessResult RunVariant(const OperatorCase& tested, const HarnessVariant& variant) {
  SCOPED_TRACE("variant: " + variant.name);
  Run run(tested, variant);
  const Status done = run.Execute(CutItems(tested.items, variant.cut));
  EXPECT_TRUE(done) << done.error().message;
  return run.TakeResult();
}

HarnessResult RunAllVariants(const OperatorCase& tested) {
  std::optional<HarnessResult> first;
  for (const HarnessVariant& variant : AllVariants()) {
    HarnessResult result = RunVariant(tested, variant);
    if (!first) {
      first = std::move(result);
      continue;
    }
    EXPECT_EQ(result.rows, first->rows) << "variant: " << variant.name;
    EXPECT_EQ(result.side_rows, first->side_rows) << "variant: " << variant.name;
    EXPECT_EQ(result.late_dropped, first->late_dropped) << "variant: " << variant.name;
  }
  return std::move(*first);
}

}  // namespace watershed::test
