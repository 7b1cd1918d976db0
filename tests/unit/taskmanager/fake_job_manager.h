// The JobManager's side of a TaskManager's connection, as a test wants it: takes every registration
// and remembers what it is told.
#pragma once

#include <grpcpp/server.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "watershed/v1/control.grpc.pb.h"

namespace watershed {

class FakeJobManager final : public v1::ClusterService::CallbackService {
 public:
  FakeJobManager(int port, int64_t leader_epoch);  // port 0: any
  ~FakeJobManager() override;                      // connections break

  int port() const { return port_; }
  // Runs under the lock; waits until it says true.
  void Await(const std::function<bool()>& condition) {
    std::unique_lock lock(mutex);
    changed.wait(lock, condition);
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<v1::RegisterTaskManagerRequest> registrations;
  std::vector<v1::ReportCheckpointRequest> checkpoint_reports;
  std::vector<v1::SubtaskReport> task_reports;
  std::vector<v1::ExecutionId> stale;  // what the next heartbeats answer
  int refuse_reports = 0;              // so many are answered UNAVAILABLE

  grpc::ServerUnaryReactor* RegisterTaskManager(grpc::CallbackServerContext* context,
                                                const v1::RegisterTaskManagerRequest* request,
                                                v1::RegisterTaskManagerResponse* response) override;
  grpc::ServerWriteReactor<v1::AttachEvent>* Attach(grpc::CallbackServerContext* context,
                                                    const v1::AttachRequest* request) override;
  grpc::ServerUnaryReactor* Heartbeat(grpc::CallbackServerContext* context,
                                      const v1::HeartbeatRequest* request,
                                      v1::HeartbeatResponse* response) override;
  grpc::ServerUnaryReactor* UpdateTasks(grpc::CallbackServerContext* context,
                                        const v1::UpdateTasksRequest* request,
                                        v1::UpdateTasksResponse* response) override;
  grpc::ServerUnaryReactor* ReportCheckpoint(grpc::CallbackServerContext* context,
                                             const v1::ReportCheckpointRequest* request,
                                             v1::ReportCheckpointResponse* response) override;

 private:
  class Attached;
  const int64_t leader_epoch_;
  int port_ = 0;
  std::set<Attached*> attached_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace watershed
