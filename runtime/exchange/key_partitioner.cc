#include "runtime/exchange/key_partitioner.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace watershed {
namespace {

void AppendKinds(const RecordBatch& batch, std::span<const int32_t> rows, int64_t rows_before,
                 std::vector<RowKind>& kinds) {
  if (!batch.row_kinds() && kinds.empty()) return;
  kinds.resize(static_cast<size_t>(rows_before), RowKind::kInsert);
  for (const int32_t row : rows) {
    kinds.push_back(batch.row_kinds() ? (*batch.row_kinds())[static_cast<size_t>(row)]
                                      : RowKind::kInsert);
  }
}

}  // namespace

KeyPartitioner::KeyPartitioner(SchemaPtr schema, KeyPartitionerOptions options)
    : schema_(std::move(schema)), options_(std::move(options)) {
  for (int32_t group = 0; group < options_.max_parallelism; ++group) {
    subtask_of_group_.push_back(
        SubtaskOfKeyGroup({group}, options_.max_parallelism, options_.parallelism).value);
  }
  const auto targets = static_cast<size_t>(options_.parallelism);
  pending_.reserve(targets);
  for (size_t i = 0; i < targets; ++i) pending_.emplace_back(schema_);
  begins_.resize(targets + 1);
}

void KeyPartitioner::SortByTarget(const RecordBatch& batch) {
  const auto rows = static_cast<size_t>(batch.num_rows());
  std::fill(begins_.begin(), begins_.end(), 0);
  order_.resize(rows);
  if (options_.parallelism == 1) {
    std::iota(order_.begin(), order_.end(), 0);
    begins_[1] = static_cast<int32_t>(rows);
    return;
  }
  EncodeKeys(batch, options_.key_columns, keys_);
  targets_.resize(rows);
  for (size_t row = 0; row < rows; ++row) {
    const KeyGroup group = KeyGroupOfHash(keys_.hashes[row], options_.max_parallelism);
    targets_[row] = subtask_of_group_[static_cast<size_t>(group.value)];
    ++begins_[static_cast<size_t>(targets_[row]) + 1];
  }
  std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
  // begins_[t] serves as t's cursor and is then one subtask ahead: moved back below.
  for (size_t row = 0; row < rows; ++row) {
    int32_t& at = begins_[static_cast<size_t>(targets_[row])];
    order_[static_cast<size_t>(at++)] = static_cast<int32_t>(row);
  }
  std::move_backward(begins_.begin(), begins_.end() - 1, begins_.end());
  begins_[0] = 0;
}

void KeyPartitioner::Add(const RecordBatch& batch, std::vector<PartitionedBatch>& ready) {
  if (batch.num_rows() == 0) return;
  SortByTarget(batch);
  for (size_t target = 0; target < pending_.size(); ++target) {
    const auto begin = static_cast<size_t>(begins_[target]);
    const auto count = static_cast<size_t>(begins_[target + 1]) - begin;
    if (count == 0) continue;
    Append(batch, std::span<const int32_t>(order_).subspan(begin, count), target, ready);
  }
}

void KeyPartitioner::Append(const RecordBatch& batch, std::span<const int32_t> rows, size_t target,
                            std::vector<PartitionedBatch>& ready) {
  Pending& pending = pending_[target];
  if (static_cast<int64_t>(rows.size()) == batch.num_rows() &&
      batch.byte_size() >= options_.target_batch_bytes) {
    HandOut(target, ready);
    ready.push_back({{static_cast<int32_t>(target)}, batch});
    return;
  }
  AppendKinds(batch, rows, pending.builder.num_rows(), pending.kinds);
  for (int i = 0; i < batch.num_columns(); ++i) {
    pending.builder.column(i).AppendRows(batch.column(i), rows);
  }
  pending.builder.FinishRows(static_cast<int64_t>(rows.size()));
  const int64_t byte_size = pending.builder.byte_size();
  buffered_bytes_ += byte_size - std::exchange(pending.byte_size, byte_size);
  if (byte_size >= options_.target_batch_bytes) HandOut(target, ready);
}

void KeyPartitioner::HandOut(size_t target, std::vector<PartitionedBatch>& ready) {
  Pending& pending = pending_[target];
  if (pending.builder.num_rows() == 0) return;
  buffered_bytes_ -= std::exchange(pending.byte_size, 0);
  RecordBatch batch = pending.builder.Finish();
  if (!pending.kinds.empty()) {
    batch.set_row_kinds(
        std::make_shared<const std::vector<RowKind>>(std::exchange(pending.kinds, {})));
  }
  ready.push_back({{static_cast<int32_t>(target)}, std::move(batch)});
}

void KeyPartitioner::Flush(std::vector<PartitionedBatch>& ready) {
  for (size_t target = 0; target < pending_.size(); ++target) HandOut(target, ready);
}

}  // namespace watershed
