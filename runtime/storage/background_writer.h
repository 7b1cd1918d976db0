// Writes one object from a thread that must not block: chunks are handed over and written
// elsewhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/process/work_runner.h"
#include "runtime/storage/object_storage.h"
#include "runtime/storage/snapshot_backlog.h"
#include "runtime/storage/stored_file.h"
#include "runtime/types/result.h"

namespace watershed {

// What a task needs to write files of its snapshots.
struct SnapshotTarget {
  std::shared_ptr<ObjectStorage> storage;
  WorkRunner* io = nullptr;  // outlives the task
  // Runs mail on the task's thread, later; dropped once the task has ended.
  std::function<void(std::function<Status()> mail)> post;
  // What names begin with: says job attempt, vertex and subtask and is used by no other process or
  // attempt ("shared/3-ab12…-0-<uuid>"). A name is this, '-', and a number.
  std::string name_prefix;
  // Counts the chunks that wait, but for shared ones; null: they are not counted.
  std::shared_ptr<SnapshotBacklog> backlog = nullptr;
};

// One object. The task's thread only. The object's chunks are written in order, one at a time, on
// `io`; nothing is begun there before the first Append.
class BackgroundWriter {
 public:
  BackgroundWriter(const SnapshotTarget& target, std::string name);
  ~BackgroundWriter();  // without Finish: the object is given up
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;

  void Append(std::string chunk);
  // The same bytes stay with others, who count them.
  void AppendShared(std::shared_ptr<const std::string> chunk);
  // Handed over and not written yet: whoever can wait should, above some megabytes.
  int64_t unwritten_bytes() const;
  // `done` runs on the task's thread, once, when the object is durable or has failed, also when
  // this has been destroyed by then; not when the task ends before. Nothing may be appended after.
  void Finish(std::function<Status(Result<StoredFile>)> done);
  // Nobody needs the object any more, finished or not: what waits is dropped at once, and `done`
  // will not run unless it is on its way.
  void GiveUp();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace watershed
