// Finds the receiving end of a channel for a stream that opens it and for the task that reads it,
// whichever comes first.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "taskmanager/network/receiving_channel.h"

namespace watershed {

// Thread-safe.
class ReceiverRegistry {
 public:
  explicit ReceiverRegistry(std::shared_ptr<const NetworkContext> context)
      : context_(std::move(context)) {}

  // The channel, made now if need be; nullptr for an attempt that has been forgotten.
  std::shared_ptr<ReceivingChannel> FindOrMake(const ChannelKey& key);
  void Remove(const ChannelKey& key);
  // The attempt has ended here: what is left of its channels is closed, later senders are refused.
  void Forget(const JobId& job, Attempt attempt);

 private:
  // Old enough ones are as good as never heard of: nobody opens their channels any more.
  static constexpr size_t kForgottenKept = 1000;

  const std::shared_ptr<const NetworkContext> context_;
  std::mutex mutex_;
  std::map<ChannelKey, std::shared_ptr<ReceivingChannel>> channels_;
  std::map<JobId, Attempt> forgotten_;  // this attempt and all before
  std::deque<JobId> forgotten_order_;
};

}  // namespace watershed
