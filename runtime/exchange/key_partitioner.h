// Decides which downstream subtask each row belongs to and gathers the rows per subtask.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/types/ids.h"
#include "runtime/types/key_encoding.h"
#include "runtime/types/key_group.h"
#include "runtime/types/record_batch.h"

namespace watershed {

struct KeyPartitionerOptions {
  std::vector<int> key_columns;
  int32_t max_parallelism = kDefaultMaxParallelism;
  int32_t parallelism = 1;  // of the downstream vertex
  // A subtask's rows are handed out once they hold so many bytes.
  int64_t target_batch_bytes = 64 * 1024;
};

struct PartitionedBatch {
  SubtaskIndex target;
  RecordBatch batch;
};

// Rows keep their order per key. One thread.
class KeyPartitioner {
 public:
  KeyPartitioner(SchemaPtr schema, KeyPartitionerOptions options);

  // Appends to `ready` the batches that have reached their size, never an empty one. Other rows
  // wait for more. A large batch whose rows all go to one subtask is passed on without a copy.
  void Add(const RecordBatch& batch, std::vector<PartitionedBatch>& ready);
  // Hands out all rows that wait. To be called before every watermark, barrier and end of input,
  // and when the flush timeout has passed.
  void Flush(std::vector<PartitionedBatch>& ready);
  // Bytes of rows that wait; 0: none do.
  int64_t buffered_bytes() const { return buffered_bytes_; }

 private:
  struct Pending {
    explicit Pending(const SchemaPtr& schema) : builder(schema) {}
    BatchBuilder builder;
    std::vector<RowKind> kinds;  // as many as rows once any batch had some, else empty
    int64_t byte_size = 0;       // 0 while there is no row
  };

  // Fills targets_ and begins_: rows of subtask s are order_[begins_[s] .. begins_[s + 1]).
  void SortByTarget(const RecordBatch& batch);
  void Append(const RecordBatch& batch, std::span<const int32_t> rows, size_t target,
              std::vector<PartitionedBatch>& ready);
  void HandOut(size_t target, std::vector<PartitionedBatch>& ready);

  const SchemaPtr schema_;
  const KeyPartitionerOptions options_;
  std::vector<int32_t> subtask_of_group_;
  std::vector<Pending> pending_;  // one per subtask
  int64_t buffered_bytes_ = 0;

  // Reused from batch to batch.
  KeyBatch keys_;
  std::vector<int32_t> targets_;
  std::vector<int32_t> begins_;
  std::vector<int32_t> order_;
};

}  // namespace watershed
