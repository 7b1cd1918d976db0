// Where rows leave. The protocol is "log, then commit with a marker": prepare(epoch) turns what was
// written since the last barrier into segments, and once the checkpoint is durable commit(epoch)
// makes segments and marker visible in one transaction.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runtime/connectors/sink_payload.h"
#include "runtime/types/ids.h"
#include "runtime/types/record_batch.h"
#include "runtime/types/result.h"

namespace watershed {

// Who writes: (lineage, sink, writer). The writer index is never reassigned within a lineage.
struct WriterId {
  std::string lineage;
  std::string sink;  // operator id: the sink's name in the job file
  int32_t writer = 0;
};

// Output of one epoch, or a part of it, durable on its own once the checkpoint is. What `payload`
// holds is the sink's business. It may have left memory meanwhile: Commit and Recover read it, one
// segment after the other.
struct SinkSegment {
  CheckpointId epoch;
  int64_t rows = 0;
  SinkPayload payload;
  int32_t writer = 0;  // of a restored one: whose it was
};

// The leading ones that become visible together: of one epoch of one writer. Not empty.
inline std::span<const SinkSegment> FirstEpoch(std::span<const SinkSegment> segments) {
  size_t count = 1;
  while (count < segments.size() && segments[count].epoch == segments[0].epoch &&
         segments[count].writer == segments[0].writer) {
    ++count;
  }
  return segments.first(count);
}

// `publish`, of segments as FirstEpoch gives them, for each epoch in turn; ends with the first
// error.
template <typename Publish>
Status ForEachEpoch(std::span<const SinkSegment> segments, const Publish& publish) {
  while (!segments.empty()) {
    const std::span<const SinkSegment> epoch = FirstEpoch(segments);
    WS_RETURN_IF_ERROR(publish(epoch));
    segments = segments.subspan(epoch.size());
  }
  return Ok();
}

// What the target says was committed last by a writer; epoch -1 = nothing yet.
struct WriterMarker {
  WriterId writer;
  CheckpointId last_committed_epoch{-1};
  std::string committed_by;  // the job that did it; empty: not known
  // A later epoch of which a part is there, if the target takes it in several transactions; -1:
  // none.
  CheckpointId begun_epoch{-1};
  std::string begun_by = {};
  bool is_kept = false;  // by the target; else it is what was heard from it
};

// One instance per subtask. All calls come from the task's thread, except Commit, which the engine
// calls on an I/O thread while the task goes on with Write and Prepare of later epochs: Commit may
// touch only its segments and members of its own. One Commit at a time, in order of epochs.
class Sink {
 public:
  virtual ~Sink() = default;
  // Connects and validates the target against the schema (missing table or column: a user error).
  virtual Status Open() = 0;
  // Takes the writers over from older attempts and returns their markers, read after fencing: one
  // of each if the target keeps them, else none. An error if a newer attempt has them already.
  virtual Result<std::vector<WriterMarker>> Fence(std::span<const WriterId> writers,
                                                  Attempt attempt) = 0;
  // Commits, in order, restored segments with an epoch above their writer's marker.
  virtual Status Recover(std::span<const SinkSegment> segments) = 0;
  // Validates rows against the target (types, lengths, NUL) and buffers them. Never blocks long.
  virtual Status Write(const RecordBatch& batch) = 0;
  // All rows written since the last Prepare. A long epoch is prepared in several parts, of which
  // the first do not know its number yet (-1): the engine fills it in.
  virtual Result<std::vector<SinkSegment>> Prepare(CheckpointId epoch) = 0;
  // Makes the epoch visible, once. May be asked again after an unknown outcome (retryable error).
  virtual Status Commit(CheckpointId epoch, std::span<const SinkSegment> segments) = 0;
  // The target keeps a marker of each writer, in the same transactions as its rows: exactly-once.
  virtual bool keeps_markers() const { return false; }
  // For the deliveries that write at once: everything written so far has arrived.
  virtual Status Flush() = 0;
  // Rows leave with Write and need no checkpoint to become visible: Commit waits for the last of
  // them, and is called before the checkpoint is acknowledged. Segments are then not kept.
  virtual bool writes_at_once() const { return false; }
  // Bytes buffered since the last Prepare, so that the engine can end an epoch by size.
  virtual int64_t buffered_bytes() const = 0;
  virtual void Close() = 0;
};

}  // namespace watershed
