#include "runtime/operators/window_aggregate.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "runtime/metrics/names.h"
#include "runtime/operators/open_windows.h"
#include "runtime/operators/window_emitter.h"
#include "runtime/state/keyed_state.h"
#include "runtime/types/key_encoding.h"

namespace watershed {
namespace {

constexpr int64_t kStripRows = 256;    // resolved at a time: entries stay in the nearest caches
constexpr int64_t kBundleRows = 8192;  // at most, between two chances to evict

constexpr std::string_view kLateTag = "late";
constexpr std::string_view kWatermarkSection = "watermark";
constexpr std::string_view kWindowSection = "window";

class WindowAggregate final : public Operator {
 public:
  WindowAggregate(WindowSpec spec, WindowInput kind)
      : spec_(std::move(spec)),
        kind_(kind),
        emitter_(spec_),
        assigner_(spec_.session ? 1 : spec_.size_ms, spec_.offset_ms) {}

  Status Open(const OperatorContext& context) override;
  Status Process(int input, const RecordBatch& batch, Output& output) override;
  Result<Progress> OnWatermark(TimestampMs time_ms, Output& output) override;
  KeyedState* keyed_state() override { return state_.get(); }
  Status Snapshot(SnapshotWriter& writer) override;
  Status Restore(const SnapshotReader& reader) override;
  void Close() override {
    windows_.reset();
    state_.reset();
  }

 private:
  Status CheckRows(const RecordBatch& batch) const;
  Status ProcessBundle(const RecordBatch& batch, int64_t first, int64_t count);
  void AddToSession(StateEntry& entry, TimestampMs time_ms, int64_t row);
  void AddBetweenSessions(StateEntry& entry, TimeWindow window, int64_t row);
  void AddToTumbling(StateEntry& entry, TimeWindow window, int64_t row);
  Status EmitLate(const RecordBatch& batch, Output& output);
  // Fires what is due; false if the output is full and more is due.
  Result<bool> Fire(Output& output, bool may_yield);
  void FireKey(StateEntry& entry);

  const WindowSpec spec_;
  const WindowInput kind_;
  WindowEmitter emitter_;
  TumblingAssigner assigner_;
  std::unique_ptr<KeyedState> state_;
  std::optional<OpenWindows> windows_;
  Aggregates aggregates_;  // bound to the batch in Process
  TimestampMs watermark_ms_ = kMinWatermarkMs;
  bool fire_before_rows_ = false;  // after a restore

  KeyBatch keys_;
  std::vector<StateEntry*> entries_;
  std::vector<int32_t> late_rows_;
  Counter own_counters_[2];
  Counter* late_dropped_ = &own_counters_[0];
  Counter* late_sent_ = &own_counters_[1];
};

Status WindowAggregate::Open(const OperatorContext& context) {
  if (context.keyed_state == nullptr) return InternalError("no keyed state for a window operator");
  aggregates_ = spec_.aggregates;
  if (context.metrics != nullptr) {
    late_dropped_ = &context.metrics->counter(metric_names::kLateRecordsDropped);
    if (spec_.late_to_side_output) {
      late_sent_ = &context.metrics->counter(metric_names::kSideOutputRecords);
    }
  }
  const int slots = spec_.aggregates.num_slots();
  KeyedStateSpec state;
  state.directory = context.state_directory;
  state.key_groups = context.key_groups;
  state.max_parallelism = context.max_parallelism;
  state.inline_value_bytes = OpenWindows::BytesPerWindow(slots);
  state.metrics = context.metrics;
  state.snapshots = context.snapshots;
  WS_ASSIGN_OR_RETURN(state_, context.keyed_state->Open(state));
  windows_.emplace(*state_, slots);
  return Ok();
}

Status WindowAggregate::Process(int, const RecordBatch& batch, Output& output) {
  WS_RETURN_IF_ERROR(CheckRows(batch));
  if (fire_before_rows_) {
    WS_RETURN_IF_ERROR(Fire(output, /*may_yield=*/false));
    fire_before_rows_ = false;
  }
  EncodeKeys(batch, spec_.key_columns, keys_);
  aggregates_.Bind(batch);
  late_rows_.clear();
  for (int64_t first = 0; first < batch.num_rows(); first += kBundleRows) {
    const int64_t count = std::min(kBundleRows, batch.num_rows() - first);
    WS_RETURN_IF_ERROR(ProcessBundle(batch, first, count));
  }
  return late_rows_.empty() ? Ok() : EmitLate(batch, output);
}

Status WindowAggregate::CheckRows(const RecordBatch& batch) const {
  if (batch.row_kinds() != nullptr) {
    return InternalError("a window aggregate takes inserts, not a changelog");
  }
  if (kind_ == WindowInput::kPartials) return Ok();
  const int column = *batch.schema()->event_time_index();
  if (batch.column(column).null_count() == 0) return Ok();
  return UserError(
      "event time '{}' is NULL in {} of {} rows; a window needs it (mark the column not-null)",
      batch.schema()->field(column).name, batch.column(column).null_count(), batch.num_rows());
}

Status WindowAggregate::ProcessBundle(const RecordBatch& batch, int64_t first, int64_t count) {
  const auto keys = static_cast<int>(spec_.key_columns.size());
  const std::span<const int64_t> times =
      kind_ == WindowInput::kRows ? batch.EventTimes() : batch.column(keys).Int64s();
  for (int64_t strip = first; strip < first + count; strip += kStripRows) {
    const int64_t rows = std::min(kStripRows, first + count - strip);
    WS_RETURN_IF_ERROR(state_->Resolve(keys_, strip, rows, entries_));
    for (int64_t i = 0; i < rows; ++i) {
      StateEntry& entry = *entries_[static_cast<size_t>(i)];
      const int64_t row = strip + i;
      const TimestampMs time_ms = times[static_cast<size_t>(row)];
      if (spec_.session) {
        AddToSession(entry, time_ms, row);
      } else if (kind_ == WindowInput::kRows) {
        AddToTumbling(entry, assigner_.Assign(time_ms), row);
      } else {
        AddToTumbling(entry, {SaturatingAdd(time_ms, -spec_.size_ms), time_ms}, row);
      }
    }
  }
  return state_->EndBundle();
}

// The common case first: one open session, which the row extends or falls into.
void WindowAggregate::AddToSession(StateEntry& entry, TimestampMs time_ms, int64_t row) {
  const TimeWindow window{time_ms, SaturatingAdd(time_ms, spec_.gap_ms)};
  if (windows_->Count(entry) == 1) {
    const OpenWindow open = windows_->At(entry, 0);
    if (window.start_ms <= open.end_ms() && open.start_ms() <= window.end_ms) {
      state_->MarkDirty(entry);
      if (window.start_ms < open.start_ms()) open.start_ms() = window.start_ms;
      if (window.end_ms > open.end_ms()) {
        open.end_ms() = window.end_ms;
        state_->MoveTimer(entry, LastMsOf(window.end_ms));
      }
      aggregates_.Add(open.accumulator(), row);
      return;
    }
  }
  AddBetweenSessions(entry, window, row);
}

// Windows that touch merge (inclusive), so the row joins sessions [first, last), perhaps none.
void WindowAggregate::AddBetweenSessions(StateEntry& entry, TimeWindow window, int64_t row) {
  const int count = windows_->Count(entry);
  int first = 0;
  while (first < count && windows_->At(entry, first).end_ms() < window.start_ms) ++first;
  int last = first;
  while (last < count && windows_->At(entry, last).start_ms() <= window.end_ms) ++last;
  if (first == last) {
    if (LastMsOf(window.end_ms) <= watermark_ms_) {
      late_rows_.push_back(static_cast<int32_t>(row));
      return;
    }
    aggregates_.Add(windows_->Insert(entry, first, window).accumulator(), row);
    state_->SetTimer(entry, LastMsOf(window.end_ms));
    return;
  }
  state_->MarkDirty(entry);
  const OpenWindow into = windows_->At(entry, first);
  into.start_ms() = std::min(into.start_ms(), window.start_ms);
  into.end_ms() = std::max(windows_->At(entry, last - 1).end_ms(), window.end_ms);
  for (int i = first + 1; i < last; ++i) {
    aggregates_.Merge(into.accumulator(), windows_->At(entry, i).accumulator());
  }
  aggregates_.Add(into.accumulator(), row);
  windows_->Erase(entry, first + 1, last);
}

void WindowAggregate::AddToTumbling(StateEntry& entry, TimeWindow window, int64_t row) {
  int at = windows_->Count(entry);
  while (at > 0 && windows_->At(entry, at - 1).end_ms() > window.end_ms) --at;
  if (at > 0 && windows_->At(entry, at - 1).end_ms() == window.end_ms) {
    state_->MarkDirty(entry);
    aggregates_.Add(windows_->At(entry, at - 1).accumulator(), row);
    return;
  }
  if (LastMsOf(window.end_ms) <= watermark_ms_) {
    late_rows_.push_back(static_cast<int32_t>(row));
    return;
  }
  aggregates_.Add(windows_->Insert(entry, at, window).accumulator(), row);
  state_->SetTimer(entry, LastMsOf(window.end_ms));
}

Status WindowAggregate::EmitLate(const RecordBatch& batch, Output& output) {
  if (spec_.late_to_side_output && output.has_side(kLateTag)) {
    late_sent_->Add(static_cast<int64_t>(late_rows_.size()));
    return output.EmitSide(kLateTag, Take(batch, late_rows_));
  }
  int64_t rows = static_cast<int64_t>(late_rows_.size());
  if (kind_ == WindowInput::kPartials) {
    const auto counts = batch.column(static_cast<int>(spec_.key_columns.size()) + 1).Int64s();
    rows = 0;
    for (const int32_t row : late_rows_) rows += counts[static_cast<size_t>(row)];
  }
  late_dropped_->Add(rows);
  return Ok();
}

Result<Progress> WindowAggregate::OnWatermark(TimestampMs time_ms, Output& output) {
  watermark_ms_ = std::max(watermark_ms_, time_ms);
  WS_ASSIGN_OR_RETURN(const bool done, Fire(output, /*may_yield=*/true));
  if (!done) return Progress::kYield;
  fire_before_rows_ = false;
  return Progress::kDone;
}

Result<bool> WindowAggregate::Fire(Output& output, bool may_yield) {
  while (true) {
    WS_RETURN_IF_ERROR(state_->TakeDue(watermark_ms_, spec_.fire_slice_keys, entries_));
    if (!entries_.empty()) {
      for (StateEntry* entry : entries_) FireKey(*entry);
      WS_RETURN_IF_ERROR(state_->EndBundle());
    }
    WS_RETURN_IF_ERROR(emitter_.status());
    const bool last = entries_.empty();
    if (emitter_.num_rows() >= (last ? 1 : spec_.emit_rows) || (may_yield && output.full())) {
      if (emitter_.num_rows() > 0) WS_RETURN_IF_ERROR(output.Emit(emitter_.Finish()));
      if (!last && may_yield && output.full()) return false;
    }
    if (last) return true;
  }
}

// Windows are sorted by end, so the due ones come first.
void WindowAggregate::FireKey(StateEntry& entry) {
  const int count = windows_->Count(entry);
  int due = 0;
  for (; due < count; ++due) {
    const OpenWindow window = windows_->At(entry, due);
    if (LastMsOf(window.end_ms()) > watermark_ms_) break;
    emitter_.Append(entry.key(), {window.start_ms(), window.end_ms()}, window.accumulator());
  }
  windows_->Erase(entry, 0, due);
  if (due < count) state_->SetTimer(entry, LastMsOf(windows_->At(entry, 0).end_ms()));
}

Status WindowAggregate::Snapshot(SnapshotWriter& writer) {
  WS_RETURN_IF_ERROR(writer.Put(kWindowSection, spec_.description));
  return writer.Put(kWatermarkSection,
                    {reinterpret_cast<const char*>(&watermark_ms_), sizeof watermark_ms_});
}

Status WindowAggregate::Restore(const SnapshotReader& reader) {
  for (const std::string& description : reader.Get(kWindowSection)) {
    if (description == spec_.description) continue;
    return UserError("its state is of {}, but the job now says {}; give it another name or undo",
                     description, spec_.description);
  }
  std::optional<TimestampMs> minimum;
  for (const std::string& part : reader.Get(kWatermarkSection)) {
    TimestampMs time_ms = 0;
    if (part.size() != sizeof time_ms) return InternalError("a damaged watermark");
    std::memcpy(&time_ms, part.data(), sizeof time_ms);
    minimum = std::min(minimum.value_or(kMaxWatermarkMs), time_ms);
  }
  // Whoever had ended ends again, unless a drained job is to go on: then it begins anew.
  if (minimum == kMaxWatermarkMs) minimum.reset();
  watermark_ms_ = minimum.value_or(kMinWatermarkMs);
  fire_before_rows_ = true;  // else a row could reopen what was about to fire
  return Ok();
}

}  // namespace

std::unique_ptr<Operator> MakeWindowAggregate(WindowSpec spec, WindowInput kind) {
  return std::make_unique<WindowAggregate>(std::move(spec), kind);
}

}  // namespace watershed
