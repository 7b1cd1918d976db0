// One assigned partition: its queue, its position, its end.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/connectors/kafka/client.h"
#include "runtime/connectors/source.h"

namespace watershed {

// One thread, except where librdkafka fills the queue.
class PartitionReader {
 public:
  PartitionReader(const SourceSplit& split, int32_t index) : split_(split), index_(index) {
    next_position_ = split.start_position;
    finished_ = split.end_position && next_position_ >= *split.end_position;
  }

  ~PartitionReader();
  PartitionReader(const PartitionReader&) = delete;
  PartitionReader& operator=(const PartitionReader&) = delete;

  // Takes the partition's queue away from the client's common one and has `wakeup_fd` (an eventfd)
  // written to when it stops being empty.
  Status OpenQueue(rd_kafka_t* client, int wakeup_fd);

  // Takes up to `max` messages without waiting; appends the records to `out` and the messages,
  // which hold their memory, to `held`. An error that came instead of a message is the final one.
  Status Take(int max, std::vector<rd_kafka_message_t*>& held, std::vector<RawRecord>& out);

  const SourceSplit& split() const { return split_; }
  int32_t index() const { return index_; }
  int64_t next_position() const { return next_position_; }
  bool finished() const { return finished_; }
  bool paused() const { return paused_; }
  void set_paused(bool paused) { paused_ = paused; }
  bool readable() const { return !paused_ && !finished_ && queue_ != nullptr; }

  // The broker reported the partition's end at the present position and nothing has followed.
  bool at_end() const { return at_end_; }
  // True once after the queue has halved since it was last seen at its fullest, while more is to
  // come: see KafkaSource::KeepFetching.
  bool NeedsFetch();
  // Records between position and high watermark, from the last fetch; nullopt before the first one.
  std::optional<int64_t> Lag(rd_kafka_t* client) const;

 private:
  Status HandleError(const rd_kafka_message_t& message);

  SourceSplit split_;
  int32_t index_;
  KafkaQueue queue_;
  int64_t next_position_;
  size_t fullest_ = 0;
  bool finished_ = false;
  bool paused_ = false;
  bool at_end_ = false;
};

}  // namespace watershed
