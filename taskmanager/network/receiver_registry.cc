#include "taskmanager/network/receiver_registry.h"

#include <vector>

#include "runtime/types/planted_bug.h"

namespace watershed {

std::shared_ptr<ReceivingChannel> ReceiverRegistry::FindOrMake(const ChannelKey& key) {
  const std::lock_guard lock(mutex_);
  if (ended_.Contains(key.job, key.attempt)) return nullptr;
  std::shared_ptr<ReceivingChannel>& channel = channels_[key];
  if (channel == nullptr) channel = std::make_shared<ReceivingChannel>(key, context_);
  return channel;
}

void ReceiverRegistry::Remove(const ChannelKey& key) {
  const std::lock_guard lock(mutex_);
  channels_.erase(key);
}

void ReceiverRegistry::EndBelow(const JobId& job, Attempt oldest) {
  const std::lock_guard lock(mutex_);
  ended_.EndBelow(job, oldest);
}

void ReceiverRegistry::Forget(const JobId& job, Attempt attempt) {
  std::vector<std::shared_ptr<ReceivingChannel>> left;
  {
    const std::lock_guard lock(mutex_);
    ended_.End(job, attempt);
    for (auto it = channels_.begin(); it != channels_.end();) {
      const bool cuts_others =
          IsPlanted(PlantedBug::kSurvivorsChannelsClosed) && it->first.attempt <= attempt;
      const bool matches =
          it->first.job == job && (ended_.Contains(job, it->first.attempt) || cuts_others);
      if (matches) left.push_back(std::move(it->second));
      it = matches ? channels_.erase(it) : std::next(it);
    }
  }
  for (const auto& channel : left) channel->Close("the attempt has ended");
}

}  // namespace watershed
