// Who leads, as the log says to one that does not.
#pragma once

#include <cstdint>
#include <memory>

#include "jobmanager/store/numbered_log.h"
#include "runtime/storage/object_storage.h"
#include "runtime/types/result.h"
#include "watershed/v1/store.pb.h"

namespace watershed {

struct LeaderSight {
  int64_t last_entry = 0;    // its number; 0: the log is empty
  int64_t leader_epoch = 0;  // 0: nobody has led yet
  v1::LeaderEntry leader;
  bool is_released = false;  // it has said that it leads no longer
};

// One thread. Writes nothing.
class LeaderObserver {
 public:
  explicit LeaderObserver(std::shared_ptr<ObjectStorage> storage);
  // Blocks: lists the log and reads its last entry, and all of it when the leader is a new one.
  Result<LeaderSight> Look();

 private:
  NumberedLog log_;
  LeaderSight known_;
};

}  // namespace watershed
