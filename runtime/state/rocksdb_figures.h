// What RocksDB does by itself for one keyed state: flushes and merges, on its own threads.
#pragma once

#include <memory>

#include "runtime/metrics/metrics.h"

namespace rocksdb {
class EventListener;
}

namespace watershed {

// Thread-safe. Shared by the state, which may end first, its database and its metrics.
struct RocksDbFigures {
  Counter flushes, flushed_bytes;
  Counter compactions, compacted_bytes;
  Counter stalls;     // times that writes began to be slowed down or stopped
  Gauge files_bytes;  // as of the last flush or merge
};

// As metrics of `group`.
void ExportRocksDb(const std::shared_ptr<const RocksDbFigures>& figures, MetricGroup& group);
// For the options of a database. Not null: `figures`.
std::shared_ptr<rocksdb::EventListener> MakeRocksDbListener(
    std::shared_ptr<RocksDbFigures> figures);

}  // namespace watershed
