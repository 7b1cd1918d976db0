// Finds the receiving end of a channel for a stream that opens it and for the task that reads it,
// whichever comes first.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "taskmanager/ended_attempts.h"
#include "taskmanager/network/receiving_channel.h"

namespace watershed {

// Thread-safe.
class ReceiverRegistry {
 public:
  explicit ReceiverRegistry(std::shared_ptr<const NetworkContext> context)
      : context_(std::move(context)) {}

  // The channel, made now if need be; nullptr for an attempt that has ended.
  std::shared_ptr<ReceivingChannel> FindOrMake(const ChannelKey& key);
  void Remove(const ChannelKey& key);
  // The attempts below it have ended: later senders are refused.
  void EndBelow(const JobId& job, Attempt oldest);
  // The attempt has ended here: what is left of its channels, and of those of others that have
  // ended, is closed; later senders are refused. The job's other attempts keep theirs.
  void Forget(const JobId& job, Attempt attempt);

 private:
  const std::shared_ptr<const NetworkContext> context_;
  std::mutex mutex_;
  std::map<ChannelKey, std::shared_ptr<ReceivingChannel>> channels_;
  EndedAttempts ended_;
};

}  // namespace watershed
