// RocksDB's view of the disk for state that no restart reads: syncing is a no-op. Checkpoints
// upload what they need; here an fsync would only put the disk's latency on the task's thread.
#pragma once

namespace rocksdb {
class Env;
}

namespace watershed {

// Lives as long as the process; any thread.
rocksdb::Env* ScratchEnv();

}  // namespace watershed
