#include "runtime/engine/local_channel_provider.h"

#include <utility>

#include "runtime/exchange/local_channel.h"

namespace watershed {

template <typename End>
Result<std::unique_ptr<End>> LocalChannelProvider::Open(const ChannelKey& key,
                                                        std::unique_ptr<End> Ends::*end) {
  std::lock_guard lock(mutex_);
  auto [it, created] = half_open_.try_emplace(key);
  if (created) {
    const auto own = capacities_bytes_.find({key.job, key.attempt});
    LocalChannel channel =
        MakeLocalChannel(own == capacities_bytes_.end() ? capacity_bytes_ : own->second);
    it->second = {std::move(channel.sender), std::move(channel.receiver)};
  }
  std::unique_ptr<End> opened = std::move(it->second.*end);
  if (opened == nullptr) {
    return InternalError("channel of edge {} from subtask {} to {} is opened twice", key.edge,
                         key.upstream.value, key.downstream.value);
  }
  if (!it->second.sender && !it->second.receiver) half_open_.erase(it);
  return opened;
}

Result<std::unique_ptr<ChannelSender>> LocalChannelProvider::OpenSender(const ChannelKey& key,
                                                                        const SchemaPtr&) {
  return Open(key, &Ends::sender);
}

Result<std::unique_ptr<ChannelReceiver>> LocalChannelProvider::OpenReceiver(const ChannelKey& key,
                                                                            const SchemaPtr&) {
  return Open(key, &Ends::receiver);
}

void LocalChannelProvider::SetCapacity(const JobId& job, Attempt attempt, int64_t capacity_bytes) {
  std::lock_guard lock(mutex_);
  capacities_bytes_[{job, attempt}] = capacity_bytes;
}

void LocalChannelProvider::Forget(const JobId& job, Attempt attempt) {
  std::lock_guard lock(mutex_);
  capacities_bytes_.erase({job, attempt});
  std::erase_if(half_open_, [&](const auto& entry) {
    return entry.first.job == job && entry.first.attempt == attempt;
  });
}

}  // namespace watershed
