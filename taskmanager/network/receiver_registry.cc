#include "taskmanager/network/receiver_registry.h"

#include <vector>

namespace watershed {

std::shared_ptr<ReceivingChannel> ReceiverRegistry::FindOrMake(const ChannelKey& key) {
  const std::lock_guard lock(mutex_);
  const auto forgotten = forgotten_.find(key.job);
  if (forgotten != forgotten_.end() && key.attempt <= forgotten->second) return nullptr;
  std::shared_ptr<ReceivingChannel>& channel = channels_[key];
  if (channel == nullptr) channel = std::make_shared<ReceivingChannel>(key, context_);
  return channel;
}

void ReceiverRegistry::Remove(const ChannelKey& key) {
  const std::lock_guard lock(mutex_);
  channels_.erase(key);
}

void ReceiverRegistry::Forget(const JobId& job, Attempt attempt) {
  std::vector<std::shared_ptr<ReceivingChannel>> left;
  {
    const std::lock_guard lock(mutex_);
    auto [entry, is_new] = forgotten_.try_emplace(job, attempt);
    entry->second = std::max(entry->second, attempt);
    if (is_new) forgotten_order_.push_back(job);
    while (forgotten_order_.size() > kForgottenKept) {
      forgotten_.erase(forgotten_order_.front());
      forgotten_order_.pop_front();
    }
    for (auto it = channels_.begin(); it != channels_.end();) {
      const bool matches = it->first.job == job && it->first.attempt <= attempt;
      if (matches) left.push_back(std::move(it->second));
      it = matches ? channels_.erase(it) : std::next(it);
    }
  }
  for (const auto& channel : left) channel->Close("the attempt has ended");
}

}  // namespace watershed
