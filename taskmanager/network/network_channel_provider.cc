#include "taskmanager/network/network_channel_provider.h"

#include <utility>
#include <vector>

#include "taskmanager/network/channel_proto.h"

namespace watershed {

NetworkChannelProvider::NetworkChannelProvider(std::shared_ptr<const NetworkContext> context,
                                               std::shared_ptr<ReceiverRegistry> receivers,
                                               SendingStreamFactory connect)
    : context_(std::move(context)),
      receivers_(std::move(receivers)),
      connect_(std::move(connect)),
      local_(context_->channel_capacity_bytes) {}

NetworkChannelProvider::~NetworkChannelProvider() { Shutdown(); }

void NetworkChannelProvider::AddAttempt(const v1::DeployTasksRequest& deployment) {
  AttemptPlacement placement;
  for (const v1::TaskPlacement& subtask : deployment.placements()) {
    placement.locations[{subtask.vertex_id(), subtask.subtask()}] = {subtask.task_manager_id(),
                                                                     subtask.address()};
  }
  for (const v1::Edge& edge : deployment.plan().edges()) {
    placement.edges.emplace_back(edge.source_vertex_id(), edge.target_vertex_id());
  }
  const std::lock_guard lock(mutex_);
  attempts_[{JobId{deployment.job_id()}, Attempt{deployment.attempt()}}] = std::move(placement);
}

void NetworkChannelProvider::ForgetAttempt(const JobId& job, Attempt attempt) {
  {
    const std::lock_guard lock(mutex_);
    attempts_.erase({job, attempt});
  }
  local_.Forget(job, attempt);
  receivers_->Forget(job, attempt);
}

Result<NetworkChannelProvider::Location> NetworkChannelProvider::Locate(
    const ChannelKey& key, ChannelEnd remote_end) const {
  const std::lock_guard lock(mutex_);
  const auto attempt = attempts_.find({key.job, key.attempt});
  if (attempt == attempts_.end() || key.edge < 0 ||
      key.edge >= static_cast<int32_t>(attempt->second.edges.size())) {
    return InternalError("{} has not been deployed here", DescribeChannel(key));
  }
  const auto& [source, target] = attempt->second.edges[static_cast<size_t>(key.edge)];
  const SubtaskKey subtask = remote_end == ChannelEnd::kSender
                                 ? SubtaskKey{source, key.upstream.value}
                                 : SubtaskKey{target, key.downstream.value};
  const auto location = attempt->second.locations.find(subtask);
  if (location == attempt->second.locations.end()) {
    return InternalError("{}: nobody runs its other end", DescribeChannel(key));
  }
  return location->second;
}

std::shared_ptr<SendingStream> NetworkChannelProvider::StreamTo(const Location& location) {
  std::shared_ptr<SendingStream>& stream = streams_[location.task_manager_id];
  if (stream == nullptr) {
    {
      const std::lock_guard lock(live_mutex_);
      ++live_streams_;
    }
    stream = connect_(location.task_manager_id, location.address, context_, [this] {
      const std::lock_guard lock(live_mutex_);
      --live_streams_;
      stream_done_.notify_all();
    });
  }
  return stream;
}

Result<std::unique_ptr<ChannelSender>> NetworkChannelProvider::OpenSender(const ChannelKey& key,
                                                                          const SchemaPtr& schema) {
  WS_ASSIGN_OR_RETURN(const Location location, Locate(key, ChannelEnd::kReceiver));
  if (IsLocal(location)) return local_.OpenSender(key, schema);
  const std::lock_guard lock(mutex_);
  if (shut_down_) return TransientError("the TaskManager is shutting down");
  std::unique_ptr<ChannelSender> sender = StreamTo(location)->OpenChannel(key);
  if (sender == nullptr) {
    streams_.erase(location.task_manager_id);  // broken since its last use
    sender = StreamTo(location)->OpenChannel(key);
  }
  if (sender == nullptr) {
    return TransientError("TaskManager {} at {} cannot be reached", location.task_manager_id,
                          location.address);
  }
  return sender;
}

Result<std::unique_ptr<ChannelReceiver>> NetworkChannelProvider::OpenReceiver(
    const ChannelKey& key, const SchemaPtr& schema) {
  WS_ASSIGN_OR_RETURN(const Location location, Locate(key, ChannelEnd::kSender));
  if (IsLocal(location)) return local_.OpenReceiver(key, schema);
  std::shared_ptr<ReceivingChannel> channel = receivers_->FindOrMake(key);
  if (channel == nullptr) return InternalError("{} has ended here", DescribeChannel(key));
  if (!channel->Claim(schema)) return InternalError("{} is opened twice", DescribeChannel(key));
  return MakeRemoteReceiver(std::move(channel),
                            [receivers = receivers_, key] { receivers->Remove(key); });
}

void NetworkChannelProvider::Shutdown() {
  std::map<std::string, std::shared_ptr<SendingStream>> streams;
  {
    const std::lock_guard lock(mutex_);
    shut_down_ = true;
    streams.swap(streams_);
  }
  for (const auto& [id, stream] : streams) stream->Cancel();
  std::unique_lock lock(live_mutex_);
  stream_done_.wait(lock, [this] { return live_streams_ == 0; });
}

}  // namespace watershed
