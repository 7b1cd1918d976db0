// How far a reader fetches ahead, within the memory it was given.
#pragma once

#include <cstdint>

#include "runtime/connectors/kafka/client.h"
#include "runtime/types/result.h"

namespace watershed {

// librdkafka bounds the payloads that wait in a partition's queue. What they take is more: each
// message has a header of its own there, and the answer of the broker that it came in stays until
// its last message has been read.
struct KafkaPrefetch {
  int64_t queued_bytes = 0;     // of payloads, per partition
  int64_t fetch_bytes = 0;      // of one answer, per partition
  int64_t max_fetch_bytes = 0;  // of one answer
  int64_t memory_bytes = 0;     // what all of it takes
};

// Of a subtask that reads `partitions`, 1 or more. `memory_bytes` 0: not bounded. `properties` are
// the user's: queues that they size and that do not fit are a user error, as are more partitions
// than there is room for.
Result<KafkaPrefetch> PlanKafkaPrefetch(int64_t partitions, int64_t memory_bytes,
                                        const KafkaSettings& properties);

}  // namespace watershed
