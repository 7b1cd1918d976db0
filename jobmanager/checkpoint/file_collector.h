// Deletes the files of one job's checkpoint directory that nobody needs any more, by the rules of
// file_collection.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "jobmanager/checkpoint/file_collection.h"
#include "runtime/process/work_runner.h"
#include "runtime/storage/object_storage.h"
#include "runtime/types/ids.h"
#include "runtime/types/result.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {

// Calls return at once; what they ask for is done on `io`, one thing after another, in pieces that
// leave room for other work. What cannot be deleted now is tried again with the next call, or is an
// orphan later; it is logged. Destroyed, it begins nothing new.
class FileCollector {
 public:
  // Opens the job's checkpoint directory; called on `io`, again until it succeeds.
  using Opener = std::function<Result<std::shared_ptr<ObjectStorage>>()>;

  FileCollector(Opener open, WorkRunner* io);
  ~FileCollector();

  // The log's entry that drops `subsumed` is durable; `retained` are those it leaves, with the new
  // one. `under_way`: files that acknowledgements of the next checkpoint name, if one has begun.
  void OnSubsumed(std::vector<v1::CheckpointRef> subsumed, std::vector<v1::CheckpointRef> retained,
                  FileNames under_way);
  // The log's entry of an attempt is durable. `oldest_living`: no task of one before it runs any
  // more or will. `retained`: all that are, by the entries up to then.
  void OnAttempt(Attempt oldest_living, std::vector<v1::CheckpointRef> retained);

 private:
  struct Shared;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace watershed
