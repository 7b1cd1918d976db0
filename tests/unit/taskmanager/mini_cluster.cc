#include "tests/unit/taskmanager/mini_cluster.h"

#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include "runtime/job/compile.h"
#include "runtime/rpc/connection.h"
#include "watershed/v1/control.grpc.pb.h"

namespace watershed {
namespace {

void Set(Config& config, const std::string& key, const std::string& value) {
  const Status set = config.Set(key, value);
  EXPECT_TRUE(set) << set.error().message;
}

std::unique_ptr<v1::JobService::Stub> Connect(JobManagerProcess& job_manager) {
  return v1::JobService::NewStub(
      MakeChannel(JoinHostPort("127.0.0.1", job_manager.ports().at("rpc"))));
}

}  // namespace

MiniCluster::MiniCluster() {
  for (const char* key : {"rest.port", "jobmanager.rpc.port", "metrics.reporter.prom.port"}) {
    Set(config_, key, "0");
  }
  Set(config_, "state.backend.type", "hashmap");
  Set(config_, "io.tmp.dirs", testing::TempDir() + "/mini_cluster");
  Set(config_, "heartbeat.interval", "100ms");
  StartJobManager();
  Set(config_, "jobmanager.rpc.port", std::to_string(job_manager_->ports().at("rpc")));
}

void MiniCluster::RestartJobManager() {
  job_manager_.reset();
  StartJobManager();
}

void MiniCluster::StartJobManager() {
  auto job_manager = JobManagerProcess::Start(config_);
  EXPECT_TRUE(job_manager) << job_manager.error().message;
  job_manager_ = std::move(*job_manager);
  job_manager_->SetOnChange([this] {
    const std::lock_guard lock(mutex_);
    ++changes_;
    changed_.notify_all();
  });
}

MiniCluster::~MiniCluster() {
  task_managers_.clear();
  job_manager_->Stop();
}

size_t MiniCluster::AddTaskManager(int slots) {
  Config config = config_;
  Set(config, "taskmanager.numberOfTaskSlots", std::to_string(slots));
  auto task_manager = TaskManagerProcess::Start(config, connectors_);
  EXPECT_TRUE(task_manager) << task_manager.error().message;
  task_managers_.push_back(std::move(*task_manager));
  return task_managers_.size() - 1;
}

std::string MiniCluster::Submit(const std::string& job_yaml, int parallelism) {
  CompileResult compiled = CompileJobFile(job_yaml, {});
  EXPECT_TRUE(compiled.ok()) << ToString(compiled.diagnostics);
  v1::SubmitJobRequest request;
  *request.mutable_graph() = std::move(*compiled.graph);
  request.mutable_graph()->set_parallelism(parallelism);
  v1::SubmitJobResponse response;
  grpc::ClientContext context;
  const grpc::Status status = Connect(*job_manager_)->SubmitJob(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.job_id();
}

void MiniCluster::Cancel(const std::string& job_id) {
  v1::CancelJobRequest request;
  request.set_job_id(job_id);
  v1::CancelJobResponse response;
  grpc::ClientContext context;
  const grpc::Status status = Connect(*job_manager_)->CancelJob(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

v1::JobDetails MiniCluster::Job(const std::string& job_id) {
  auto details = job_manager_->view().FindJob(job_id);
  EXPECT_TRUE(details) << details.error().message;
  return std::move(*details);
}

void MiniCluster::WaitUntil(const std::function<bool()>& condition) {
  for (;;) {
    uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      seen = changes_;
    }
    if (condition()) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return changes_ != seen; });
  }
}

v1::JobDetails MiniCluster::WaitForJob(
    const std::string& job_id, const std::function<bool(const v1::JobDetails&)>& condition) {
  v1::JobDetails details;
  WaitUntil([&] {
    details = Job(job_id);
    return condition(details);
  });
  return details;
}

v1::JobDetails MiniCluster::WaitForState(const std::string& job_id, v1::JobState state) {
  return WaitForJob(job_id,
                    [&](const v1::JobDetails& job) { return job.summary().state() == state; });
}

void MiniCluster::WaitForTaskManagers(size_t count) {
  WaitUntil([&] { return job_manager_->view().TaskManagers().size() == count; });
}

std::vector<MetricSample> MiniCluster::Metrics() {
  std::vector<MetricSample> all = job_manager_->metrics().Collect();
  for (const auto& task_manager : task_managers_) {
    const std::vector<MetricSample> more = task_manager->metrics().Collect();
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

double MiniCluster::MetricSum(const std::string& name) {
  double sum = 0;
  for (const auto& task_manager : task_managers_) {
    for (const MetricSample& sample : task_manager->metrics().Collect()) {
      if (sample.name == name) sum += sample.value;
    }
  }
  return sum;
}

}  // namespace watershed
