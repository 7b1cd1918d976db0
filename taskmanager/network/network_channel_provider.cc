#include "taskmanager/network/network_channel_provider.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/config/units.h"
#include "taskmanager/network/channel_proto.h"

namespace watershed {
namespace {

// With less a channel would wait for every batch of rows.
constexpr int64_t kMinChannelBytes = 32 << 10;

}  // namespace

NetworkChannelProvider::NetworkChannelProvider(std::shared_ptr<const NetworkContext> context,
                                               std::shared_ptr<ReceiverRegistry> receivers,
                                               SendingStreamFactory connect)
    : context_(std::move(context)),
      receivers_(std::move(receivers)),
      connect_(std::move(connect)),
      local_(context_->channel_capacity_bytes) {}

NetworkChannelProvider::~NetworkChannelProvider() { Shutdown(); }

// Subtasks of each vertex, here and in all.
NetworkChannelProvider::OwnChannels NetworkChannelProvider::CountOwn(
    const AttemptPlacement& placement) const {
  std::map<std::string, std::pair<int64_t, int64_t>> subtasks;
  OwnChannels own;
  for (const auto& [subtask, location] : placement.locations) {
    auto& [here, all] = subtasks[subtask.first];
    ++all;
    if (IsLocal(location)) own.slots = std::max(own.slots, ++here);
  }
  for (const auto& [source, target] : placement.edges) {
    const auto [sources_here, sources] = subtasks[source];
    const auto [targets_here, targets] = subtasks[target];
    const int64_t queues = sources_here * targets + (sources - sources_here) * targets_here;
    own.queues += queues;
    const bool is_of_region =
        placement.own_vertices.contains(source) || placement.own_vertices.contains(target);
    if (is_of_region) own.queues_of_region += queues;
  }
  return own;
}

// By slots, and not by what is free just now: the same job gets the same wherever it starts. The
// job's regions share its slots, so a channel has the same whichever of them run.
Status NetworkChannelProvider::ShareMemory(AttemptPlacement& placement,
                                           const std::string& job_name) const {
  placement.channel_capacity_bytes = context_->channel_capacity_bytes;
  if (context_->memory == nullptr) return Ok();
  const OwnChannels own = CountOwn(placement);
  if (own.queues == 0) return Ok();
  const int64_t available = context_->memory->SlotBytes(MemoryShare::kNetwork) * own.slots;
  const int64_t each = std::min(placement.channel_capacity_bytes, available / own.queues);
  if (each < kMinChannelBytes) {
    return UserError(
        "TaskManager {}: job '{}' needs {} of memory for its {} channels here, {} each, and {} of "
        "the slots have {}: raise taskmanager.memory.process.size (now {}) or lower the job's "
        "parallelism",
        context_->task_manager_id, job_name, FormatSize(own.queues * kMinChannelBytes), own.queues,
        FormatSize(kMinChannelBytes), own.slots, FormatSize(available),
        FormatSize(context_->memory->limits().process_bytes));
  }
  placement.channel_capacity_bytes = each;
  placement.memory = std::make_unique<MemoryReservation>(context_->memory, MemoryShare::kNetwork);
  placement.memory->Set(each * own.queues_of_region);
  return Ok();
}

Status NetworkChannelProvider::AddAttempt(const v1::DeployTasksRequest& deployment) {
  AttemptPlacement placement;
  for (const v1::TaskPlacement& subtask : deployment.placements()) {
    placement.locations[{subtask.vertex_id(), subtask.subtask()}] = {subtask.task_manager_id(),
                                                                     subtask.address()};
  }
  for (const v1::Edge& edge : deployment.plan().edges()) {
    placement.edges.emplace_back(edge.source_vertex_id(), edge.target_vertex_id());
  }
  for (const v1::TaskDeployment& task : deployment.tasks()) {
    placement.own_vertices.insert(task.vertex_id());
  }
  WS_RETURN_IF_ERROR(ShareMemory(placement, deployment.plan().job_name()));
  const JobId job{deployment.job_id()};
  const Attempt attempt{deployment.attempt()};
  receivers_->EndBelow(job, OldestAttempt(attempt, deployment.oldest_attempt()));
  local_.SetCapacity(job, attempt, placement.channel_capacity_bytes);
  const std::lock_guard lock(mutex_);
  attempts_[{job, attempt}] = std::move(placement);
  return Ok();
}

void NetworkChannelProvider::ForgetAttempt(const JobId& job, Attempt attempt) {
  {
    const std::lock_guard lock(mutex_);
    attempts_.erase({job, attempt});
  }
  local_.Forget(job, attempt);
  receivers_->Forget(job, attempt);
}

int64_t NetworkChannelProvider::CapacityOf(const ChannelKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto attempt = attempts_.find({key.job, key.attempt});
  return attempt == attempts_.end() ? context_->channel_capacity_bytes
                                    : attempt->second.channel_capacity_bytes;
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
  if (!channel->Claim(schema, CapacityOf(key)))
    return InternalError("{} is opened twice", DescribeChannel(key));
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
