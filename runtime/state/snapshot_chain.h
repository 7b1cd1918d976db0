// The parts that a subtask's state is made of, oldest first, and the snapshots that wait until the
// parts they name are durable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/state/keyed_state.h"
#include "runtime/state/snapshot_part.h"

namespace watershed {

// The task's thread.
class SnapshotChain {
 public:
  using Done = std::function<Status(Result<KeyedStateFiles>)>;

  // The next snapshot stands on its own.
  void Restart() { parts_.clear(); }
  // Goes on from what a former subtask wrote.
  void Adopt(const std::vector<StoredFile>& files);
  void Add(std::shared_ptr<SnapshotPart> part) { parts_.push_back(std::move(part)); }
  // A snapshot of all parts there are now, the last `new_parts` of which are its own. `done` runs
  // in a Settle once they are durable, or one of them has failed.
  void Await(size_t new_parts, Done done);
  // Answers the snapshots whose parts have settled.
  Status Settle();

  // What is not durable yet fails for this reason; Settle tells it.
  void GiveUp(const Error& why);

  // A part has failed: nothing may build on it.
  bool broken() const;
  size_t size() const { return parts_.size(); }
  int64_t byte_size() const;
  // Snapshots without an answer.
  size_t waiting() const { return waiting_.size(); }
  // Forgets parts without files.
  void DropEmpty();

 private:
  using Parts = std::vector<std::shared_ptr<SnapshotPart>>;
  struct Waiting {
    Parts parts;
    size_t new_parts;
    Done done;
  };
  static bool Settled(const Parts& parts);
  static Result<KeyedStateFiles> FilesOf(const Waiting& snapshot);

  Parts parts_;
  std::vector<Waiting> waiting_;
};

}  // namespace watershed
