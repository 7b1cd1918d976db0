// What the JobManager must not forget: leadership, submissions, splits, attempts, checkpoints,
// ends. An entry is durable before anything is done because of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/process/executor.h"
#include "runtime/process/work_runner.h"
#include "runtime/storage/object_storage.h"
#include "runtime/types/clock.h"
#include "runtime/types/result.h"
#include "watershed/v1/store.pb.h"

namespace watershed {

class JobStore {
 public:
  virtual ~JobStore() = default;
  // Once, first; blocks. What is stored, with the new leader epoch, which is above every one before
  // and stored itself.
  virtual Result<v1::StoredState> BecomeLeader(const v1::LeaderEntry& self) = 0;
  // Stores an entry (`kind` is set by the caller, the rest here). Returns at once; `done` runs on
  // the executor, in the order of the calls, when the entry is durable or cannot be. After an error
  // nothing is stored any more: somebody else leads, or nobody knows what is stored; the process
  // ends and its successor reads what is there. On the executor only; no `done` runs once this is
  // destroyed.
  virtual void Append(v1::LogEntry entry, std::function<void(Status)> done) = 0;
};

// Remembers nothing beyond the process. Its epoch is the wall clock's milliseconds, so that a
// JobManager that is started again is above the one before. All pointers outlive the store.
std::unique_ptr<JobStore> MakeMemoryJobStore(const Clock* clock, Executor* executor);

struct LogJobStoreOptions {
  // Tells this process's entries from those of any other; random in a process.
  uint64_t writer_id = 0;
  // After so many entries one sums them up, and those before it are deleted.
  int snapshot_every = 200;
  // Leads only if this leader epoch is still the newest (0: nobody has led); else a transient
  // error. Nothing: whoever led before.
  std::optional<int64_t> successor_of = std::nullopt;
};

// In a numbered log (numbered_log.h) in the storage's root, which nothing else uses. `io` runs what
// blocks. All pointers outlive the store.
std::unique_ptr<JobStore> MakeLogJobStore(std::shared_ptr<ObjectStorage> storage, WorkRunner* io,
                                          Executor* executor, const Clock* clock,
                                          const LogJobStoreOptions& options);

}  // namespace watershed
