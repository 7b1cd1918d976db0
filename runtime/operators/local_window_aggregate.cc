#include "runtime/operators/local_window_aggregate.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/operators/group_table.h"
#include "runtime/operators/window.h"
#include "runtime/types/key_encoding.h"

namespace watershed {
namespace {

// With more groups than this, the partials are handed on: they hardly combine any more.
constexpr int64_t kMaxGroups = 16 << 10;
constexpr int64_t kMaxBytes = 4 << 20;
constexpr int64_t kEmitRows = 4096;

class LocalWindowAggregate final : public Operator {
 public:
  explicit LocalWindowAggregate(WindowSpec spec)
      : spec_(std::move(spec)),
        assigner_(spec_.size_ms, spec_.offset_ms),
        aggregates_(spec_.aggregates),
        table_(aggregates_.num_slots()),
        builder_(spec_.output) {}

  Status Process(int input, const RecordBatch& batch, Output& output) override;
  Status Flush(Output& output) override;

 private:
  Status EmitSlice(uint32_t first, uint32_t last, Output& output);

  const WindowSpec spec_;
  TumblingAssigner assigner_;
  Aggregates aggregates_;
  GroupTable table_;
  BatchBuilder builder_;
  KeyBatch keys_;
};

Status LocalWindowAggregate::Process(int, const RecordBatch& batch, Output& output) {
  const int time_column = *batch.schema()->event_time_index();
  if (batch.column(time_column).null_count() != 0) {
    return UserError(
        "event time '{}' is NULL in {} of {} rows; a window needs it (mark the column "
        "not-null)",
        batch.schema()->field(time_column).name, batch.column(time_column).null_count(),
        batch.num_rows());
  }
  if (batch.row_kinds() != nullptr) {
    return InternalError("a window aggregate takes inserts, not a changelog");
  }
  EncodeKeys(batch, spec_.key_columns, keys_);
  aggregates_.Bind(batch);
  const std::span<const int64_t> times = batch.EventTimes();
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    const TimeWindow window = assigner_.Assign(times[static_cast<size_t>(row)]);
    const uint32_t group =
        table_.FindOrAdd(keys_.hashes[static_cast<size_t>(row)], keys_.key(row), window.end_ms);
    ++table_.rows(group);
    aggregates_.Add(table_.accumulator(group), row);
  }
  if (table_.size() <= kMaxGroups && table_.byte_size() <= kMaxBytes) return Ok();
  return Flush(output);
}

Status LocalWindowAggregate::Flush(Output& output) {
  const auto groups = static_cast<uint32_t>(table_.size());
  if (groups == 0) return Ok();
  for (uint32_t first = 0; first < groups; first += kEmitRows) {
    WS_RETURN_IF_ERROR(
        EmitSlice(first, std::min(groups, first + static_cast<uint32_t>(kEmitRows)), output));
  }
  table_.Clear();
  return Ok();
}

Status LocalWindowAggregate::EmitSlice(uint32_t first, uint32_t last, Output& output) {
  std::vector<Column*> columns;
  columns.reserve(static_cast<size_t>(spec_.output->num_fields()));
  for (int i = 0; i < spec_.output->num_fields(); ++i) columns.push_back(&builder_.column(i));
  const size_t keys = spec_.key_columns.size();
  const std::span<Column* const> all(columns);
  for (uint32_t group = first; group < last; ++group) {
    WS_RETURN_IF_ERROR(DecodeKey(table_.key(group), all.first(keys)));
    columns[keys]->AppendInt64(table_.window_end_ms(group));
    columns[keys + 1]->AppendInt64(table_.rows(group));
    aggregates_.AppendPartials(table_.accumulator(group), all.subspan(keys + 2));
    builder_.FinishRow();
  }
  return output.Emit(builder_.Finish());
}

}  // namespace

std::unique_ptr<Operator> MakeLocalWindowAggregate(WindowSpec spec) {
  return std::make_unique<LocalWindowAggregate>(std::move(spec));
}

}  // namespace watershed
