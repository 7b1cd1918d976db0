#include "tests/unit/taskmanager/fake_job_manager.h"

#include <fmt/format.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

namespace watershed {
namespace {

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                 const grpc::Status& status = grpc::Status::OK) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

}  // namespace

// Says nothing, until the server goes.
class FakeJobManager::Attached final : public grpc::ServerWriteReactor<v1::AttachEvent> {
 public:
  explicit Attached(FakeJobManager* owner) : owner_(owner) {
    const std::lock_guard lock(owner_->mutex);
    owner_->attached_.insert(this);
  }
  void OnCancel() override { Finish(grpc::Status::CANCELLED); }
  void OnDone() override {
    {
      const std::lock_guard lock(owner_->mutex);
      owner_->attached_.erase(this);
      owner_->changed.notify_all();
    }
    delete this;
  }

 private:
  FakeJobManager* const owner_;
};

FakeJobManager::FakeJobManager(int port, int64_t leader_epoch) : leader_epoch_(leader_epoch) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(fmt::format("127.0.0.1:{}", port), grpc::InsecureServerCredentials(),
                           &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  EXPECT_NE(server_, nullptr);
}

FakeJobManager::~FakeJobManager() {
  server_->Shutdown(std::chrono::system_clock::now());
  Await([this] { return attached_.empty(); });
}

grpc::ServerUnaryReactor* FakeJobManager::RegisterTaskManager(
    grpc::CallbackServerContext* context, const v1::RegisterTaskManagerRequest* request,
    v1::RegisterTaskManagerResponse* response) {
  response->set_leader_epoch(leader_epoch_);
  response->set_heartbeat_interval_ms(20);
  const std::lock_guard lock(mutex);
  registrations.push_back(*request);
  response->set_registration(static_cast<int64_t>(registrations.size()));
  changed.notify_all();
  return Answer(context);
}

grpc::ServerWriteReactor<v1::AttachEvent>* FakeJobManager::Attach(grpc::CallbackServerContext*,
                                                                  const v1::AttachRequest*) {
  return new Attached(this);
}

grpc::ServerUnaryReactor* FakeJobManager::Heartbeat(grpc::CallbackServerContext* context,
                                                    const v1::HeartbeatRequest*,
                                                    v1::HeartbeatResponse* response) {
  const std::lock_guard lock(mutex);
  for (const v1::ExecutionId& attempt : stale) *response->add_stale() = attempt;
  return Answer(context);
}

grpc::ServerUnaryReactor* FakeJobManager::UpdateTasks(grpc::CallbackServerContext* context,
                                                      const v1::UpdateTasksRequest* request,
                                                      v1::UpdateTasksResponse*) {
  const std::lock_guard lock(mutex);
  for (const v1::SubtaskReport& report : request->tasks()) task_reports.push_back(report);
  changed.notify_all();
  return Answer(context);
}

grpc::ServerUnaryReactor* FakeJobManager::ReportCheckpoint(
    grpc::CallbackServerContext* context, const v1::ReportCheckpointRequest* request,
    v1::ReportCheckpointResponse*) {
  const std::lock_guard lock(mutex);
  if (refuse_reports > 0) {
    --refuse_reports;
    return Answer(context, {grpc::StatusCode::UNAVAILABLE, "busy"});
  }
  checkpoint_reports.push_back(*request);
  changed.notify_all();
  return Answer(context);
}

}  // namespace watershed
