// Channels between tasks of one process.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "runtime/engine/task.h"

namespace watershed {

// Whichever end is opened first makes the channel; each end can be opened once. Thread-safe.
class LocalChannelProvider final : public ChannelProvider {
 public:
  explicit LocalChannelProvider(int64_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  // Of the attempt's channels, where it differs; before one of them is opened, until Forget.
  void SetCapacity(const JobId& job, Attempt attempt, int64_t capacity_bytes);

  Result<std::unique_ptr<ChannelSender>> OpenSender(const ChannelKey& key,
                                                    const SchemaPtr& schema) override;
  Result<std::unique_ptr<ChannelReceiver>> OpenReceiver(const ChannelKey& key,
                                                        const SchemaPtr& schema) override;
  // Forgets ends that nobody opened, of an attempt that has ended.
  void Forget(const JobId& job, Attempt attempt);

 private:
  struct Ends {
    std::unique_ptr<ChannelSender> sender;      // null once opened
    std::unique_ptr<ChannelReceiver> receiver;  // null once opened
  };
  template <typename End>
  Result<std::unique_ptr<End>> Open(const ChannelKey& key, std::unique_ptr<End> Ends::*end);

  const int64_t capacity_bytes_;
  std::mutex mutex_;
  std::map<std::pair<JobId, Attempt>, int64_t> capacities_bytes_;
  std::map<ChannelKey, Ends> half_open_;
};

}  // namespace watershed
