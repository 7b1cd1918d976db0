// Channels for the tasks of a TaskManager: by pointer to tasks of its own, over streams to those of
// others.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "runtime/engine/local_channel_provider.h"
#include "runtime/engine/task.h"
#include "taskmanager/network/network_context.h"
#include "taskmanager/network/outgoing_stream.h"
#include "taskmanager/network/receiver_registry.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

// Thread-safe; nothing blocks but Shutdown and the destructor.
class NetworkChannelProvider final : public ChannelProvider {
 public:
  // `receivers` is the registry that the streams from other TaskManagers feed; `connect` starts
  // those to them.
  NetworkChannelProvider(std::shared_ptr<const NetworkContext> context,
                         std::shared_ptr<ReceiverRegistry> receivers,
                         SendingStreamFactory connect = OutgoingStream::Start);
  ~NetworkChannelProvider() override;  // Shutdown

  // Where the job's subtasks run: before any channel of the attempt is opened. A user error when
  // the channels would have too little of the network's memory.
  Status AddAttempt(const v1::DeployTasksRequest& deployment);
  // Every task of the attempt that ran here has ended.
  void ForgetAttempt(const JobId& job, Attempt attempt);

  Result<std::unique_ptr<ChannelSender>> OpenSender(const ChannelKey& key,
                                                    const SchemaPtr& schema) override;
  Result<std::unique_ptr<ChannelReceiver>> OpenReceiver(const ChannelKey& key,
                                                        const SchemaPtr& schema) override;

  // Breaks the streams to other TaskManagers and waits until each is done.
  void Shutdown();

 private:
  struct Location {
    std::string task_manager_id;
    std::string address;
  };
  using SubtaskKey = std::pair<std::string, int32_t>;  // vertex id, subtask
  struct AttemptPlacement {
    std::map<SubtaskKey, Location> locations;
    std::vector<std::pair<std::string, std::string>> edges;  // source and target vertex id
    std::set<std::string> own_vertices;                      // that the attempt has tasks of here
    int64_t channel_capacity_bytes = 0;
    std::unique_ptr<MemoryReservation> memory;
  };
  struct OwnChannels {
    int64_t queues = 0;            // a local channel is one, a remote one has one at either end
    int64_t queues_of_region = 0;  // those of this attempt; the others are of other regions
    int64_t slots = 0;             // that the job has here
  };

  OwnChannels CountOwn(const AttemptPlacement& placement) const;
  Status ShareMemory(AttemptPlacement& placement, const std::string& job_name) const;
  Result<Location> Locate(const ChannelKey& key, ChannelEnd remote_end) const;
  int64_t CapacityOf(const ChannelKey& key) const;
  bool IsLocal(const Location& location) const {
    return location.task_manager_id == context_->task_manager_id;
  }
  std::shared_ptr<SendingStream> StreamTo(const Location& location);

  const std::shared_ptr<const NetworkContext> context_;
  const std::shared_ptr<ReceiverRegistry> receivers_;
  const SendingStreamFactory connect_;
  LocalChannelProvider local_;

  mutable std::mutex mutex_;
  std::map<std::pair<JobId, Attempt>, AttemptPlacement> attempts_;
  std::map<std::string, std::shared_ptr<SendingStream>> streams_;  // by the other's id
  bool shut_down_ = false;

  std::mutex live_mutex_;
  std::condition_variable stream_done_;
  int live_streams_ = 0;  // not done
};

}  // namespace watershed
