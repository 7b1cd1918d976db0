// A Dispatcher on a hand-stepped executor, with TaskManagers that only keep what they are told.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jobmanager/job/dispatcher.h"
#include "jobmanager/store/job_store.h"
#include "runtime/job/compile.h"
#include "tests/unit/jobmanager/stepped_executor.h"

namespace watershed {

// Keeps the calls; the test answers them when it likes.
class FakeGateway final : public TaskManagerGateway {
 public:
  void DiscoverSplits(const v1::DiscoverSplitsRequest& request,
                      std::function<void(Result<v1::DiscoverSplitsResponse>)> done) override {
    discoveries.push_back(request);
    discovered = std::move(done);
  }
  void DeployTasks(const v1::DeployTasksRequest& request,
                   std::function<void(Status)> done) override {
    deployments.push_back(request);
    deployed = std::move(done);
  }
  void CancelTasks(const v1::CancelTasksRequest& request,
                   std::function<void(Result<v1::CancelTasksResponse>)> done) override {
    cancels.push_back(request);
    cancelled = std::move(done);
  }
  void TriggerCheckpoint(const v1::TriggerCheckpointRequest& request,
                         std::function<void(Status)> done) override {
    triggers.push_back(request);
    triggered = std::move(done);
  }
  void NotifyCheckpoint(const v1::NotifyCheckpointRequest& request,
                        std::function<void(Status)>) override {
    notifications.push_back(request);
  }

  std::vector<v1::DiscoverSplitsRequest> discoveries;
  std::vector<v1::DeployTasksRequest> deployments;
  std::vector<v1::CancelTasksRequest> cancels;
  std::vector<v1::TriggerCheckpointRequest> triggers;
  std::vector<v1::NotifyCheckpointRequest> notifications;
  std::function<void(Result<v1::DiscoverSplitsResponse>)> discovered;
  std::function<void(Status)> deployed;
  std::function<void(Result<v1::CancelTasksResponse>)> cancelled;
  std::function<void(Status)> triggered;
};

// A store whose entries become durable only when the test says so, or not at all.
class HeldStore final : public JobStore {
 public:
  explicit HeldStore(std::unique_ptr<JobStore> store) : store_(std::move(store)) {}
  Result<v1::StoredState> BecomeLeader(const v1::LeaderEntry& self) override {
    return store_->BecomeLeader(self);
  }
  void Append(v1::LogEntry entry, std::function<void(Status)> done) override {
    if (!error.empty()) return done(ExternalError("{}", error));
    if (!holds) return store_->Append(std::move(entry), std::move(done));
    held.emplace_back(std::move(entry), std::move(done));
  }
  void Release() {
    for (auto& [entry, done] : std::exchange(held, {})) {
      store_->Append(std::move(entry), std::move(done));
    }
  }

  bool holds = false;
  std::string error;
  std::vector<std::pair<v1::LogEntry, std::function<void(Status)>>> held;

 private:
  const std::unique_ptr<JobStore> store_;
};

inline v1::JobGraph Graph(const std::string& job_fields = "") {
  CompileResult compiled = CompileJobFile(
      "kind: Job\n"
      "name: test\n" +
          job_fields +
          "sources:\n"
          "  events: {connector: datagen, columns: {host: string, event_time: timestamp}}\n"
          "sinks:\n"
          "  out: {input: events, connector: blackhole}\n",
      {});
  EXPECT_TRUE(compiled.ok()) << ToString(compiled.diagnostics);
  return *compiled.graph;
}

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() : store_(MakeMemoryJobStore(&executor_, &executor_)) {
    settings_.ended_jobs_kept = 2;
  }

  // Starts a JobManager over the store, which has had another one before or not.
  void Lead() {
    gateways_.clear();
    dispatcher_.reset();
    executor_.Advance(std::chrono::milliseconds(1));  // the memory store's epochs are of the clock
    DispatcherServices services;
    services.executor = &executor_;
    services.clock = &executor_;
    services.store = &store_;
    services.metrics = &metrics_;
    services.gateways = [this](const std::string& id, const std::string&) {
      return gateways_[id] = std::make_shared<FakeGateway>();
    };
    services.io = &io_;
    services.open_storage = [this](const std::string& uri) { return Open(uri); };
    services.open_existing = services.open_storage;
    services.on_fatal = [this](const Error& error) {
      fatal_ = error.message;
      ++fatal_calls_;
    };
    const v1::StoredState stored = store_.BecomeLeader({}).value();
    epoch_ = LeaderEpoch{stored.leader_epoch()};
    dispatcher_ = std::make_unique<Dispatcher>(settings_, std::move(services));
    dispatcher_->Lead(stored);
    executor_.RunAll();
  }
  void SetUp() override { Lead(); }
  virtual Result<std::shared_ptr<ObjectStorage>> Open(const std::string& uri) {
    return OpenStorage(uri);
  }

  int64_t Register(const std::string& id, int slots, v1::RegisterTaskManagerRequest request = {}) {
    request.set_task_manager_id(id);
    request.set_address(id + ":1");
    request.set_slots(slots);
    const auto response = dispatcher_->Register(request);
    EXPECT_TRUE(response);
    EXPECT_EQ(response->leader_epoch(), epoch_.value);
    executor_.RunAll();
    return response->registration();
  }
  std::string Submit(int parallelism) {
    v1::JobGraph graph = Graph();
    graph.set_parallelism(parallelism);
    const Result<JobId> id = Submit(graph);
    EXPECT_TRUE(id) << id.error().message;
    return id->hex;
  }
  Result<JobId> Submit(const v1::JobGraph& graph, const std::string& restore_path = "") {
    v1::SubmitJobRequest request;
    *request.mutable_graph() = graph;
    request.set_restore_path(restore_path);
    Result<JobId> answer = InternalError("not answered");
    dispatcher_->Submit(request, [&](Result<JobId> id) { answer = std::move(id); });
    executor_.RunAll();
    return answer;
  }
  void AnswerDiscovery(const std::string& task_manager, int splits, bool bounded = false) {
    v1::DiscoverSplitsResponse response;
    for (int i = 0; i < splits; ++i) {
      response.add_splits()->set_id(std::to_string(i));
      if (bounded) response.mutable_splits(i)->set_end_position(1000);
    }
    gateways_[task_manager]->discovered(response);
    executor_.RunAll();
  }
  void AnswerDeployment(const std::string& task_manager, const Status& status = Ok()) {
    gateways_[task_manager]->deployed(status);
    executor_.RunAll();
  }
  void AnswerCancel(const std::string& task_manager, std::vector<int> live_subtasks = {}) {
    v1::CancelTasksResponse response;
    for (const int subtask : live_subtasks) {
      v1::TaskId* id = response.add_live();
      id->set_vertex_id(gateways_[task_manager]->deployments.back().tasks(0).vertex_id());
      id->set_subtask(subtask);
    }
    gateways_[task_manager]->cancelled(response);
    executor_.RunAll();
  }
  Status Update(const std::string& task_manager, const std::string& job, int subtask,
                v1::TaskState state, const std::string& message = "", int attempt = 1) {
    return UpdateAs(epoch_, task_manager, job, subtask, state, message, attempt);
  }
  Status UpdateAs(LeaderEpoch epoch, const std::string& task_manager, const std::string& job,
                  int subtask, v1::TaskState state, const std::string& message, int attempt = 1,
                  bool is_final = false) {
    v1::UpdateTasksRequest request;
    request.set_task_manager_id(task_manager);
    request.set_leader_epoch(epoch.value);
    v1::SubtaskReport* report = request.add_tasks();
    report->set_job_id(job);
    report->mutable_status()->set_vertex_id(Job(job).subtasks(0).vertex_id());
    report->mutable_status()->set_subtask(subtask);
    report->mutable_status()->set_attempt(attempt);
    report->mutable_status()->set_state(state);
    report->mutable_status()->set_message(message);
    report->mutable_status()->set_is_final(is_final);
    const Status status = dispatcher_->UpdateTasks(request);
    executor_.RunAll();
    return status;
  }
  v1::JobDetails Job(const std::string& id) { return dispatcher_->Details(id).value(); }
  v1::JobState State(const std::string& id) { return Job(id).summary().state(); }
  std::string Reason(const std::string& id) { return Job(id).summary().status_reason(); }

  // Two subtasks, one on each of a and b, all running.
  std::string RunningJob() {
    Register("a", 1);
    Register("b", 1);
    const std::string job = Submit(2);
    AnswerDiscovery("a", 2);
    AnswerDeployment("a");
    AnswerDeployment("b");
    EXPECT_TRUE(Update("a", job, 0, v1::TASK_RUNNING));
    EXPECT_TRUE(Update("b", job, 1, v1::TASK_RUNNING));
    EXPECT_EQ(State(job), v1::RUNNING);
    return job;
  }

  // Runs in the same steps what a pool of threads would, or not yet: then the storage hangs.
  struct SteppedRunner final : WorkRunner {
    explicit SteppedRunner(Executor* executor) : executor(executor) {}
    void Run(std::function<void()> work) override {
      if (hangs) return hanging.push_back(std::move(work));
      executor->Post(std::move(work));
    }
    void Release() {
      hangs = false;
      for (auto& work : std::exchange(hanging, {})) executor->Post(std::move(work));
    }
    Executor* const executor;
    bool hangs = false;
    std::vector<std::function<void()>> hanging;
  };

  SteppedExecutor executor_;
  SteppedRunner io_{&executor_};
  MetricRegistry metrics_;
  DispatcherSettings settings_;
  HeldStore store_;
  LeaderEpoch epoch_;
  std::string fatal_;
  int fatal_calls_ = 0;
  std::map<std::string, std::shared_ptr<FakeGateway>> gateways_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

}  // namespace watershed
