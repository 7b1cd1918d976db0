#include "tests/sim/gateways.h"

#include <utility>

#include "tests/sim/job_manager.h"
#include "tests/sim/observer.h"
#include "tests/sim/task_manager.h"

namespace watershed::sim {
namespace {

Heard HeardBy(JobManager& to, const std::string& task_manager) {
  return {{to.number(), task_manager}, to.process()->awake()};
}

class ToJobManager final : public JobManagerGateway {
 public:
  ToJobManager(Cluster* cluster, ProcessPtr process)
      : cluster_(cluster), process_(std::move(process)) {}

  void Register(const v1::RegisterTaskManagerRequest& request,
                Answer<v1::RegisterTaskManagerResponse> done) override {
    Call<v1::RegisterTaskManagerResponse>(
        [request, cluster = cluster_](JobManager& to) {
          auto response = to.dispatcher().Register(request);
          if (response) {
            cluster->observer().heartbeats().OnRegistered(HeardBy(to, request.task_manager_id()),
                                                          response->leader_epoch());
          }
          return response;
        },
        std::move(done));
  }
  void Attach(const v1::AttachRequest& request, std::function<void()> ended) override {
    Cluster* const cluster = cluster_;
    cluster->network().Attach(
        process_, kJobManagerName,
        [cluster, process = process_, request](const ProcessPtr& at) {
          OnDispatcher(cluster, at, [cluster, process, request](JobManager& to) {
            if (!to.dispatcher().IsRegistered(request)) cluster->network().Detach(process);
          });
        },
        std::move(ended),
        [cluster, request](const ProcessPtr& at) {
          OnDispatcher(cluster, at, [cluster, request](JobManager& to) {
            cluster->observer().heartbeats().OnDetached(HeardBy(to, request.task_manager_id()));
            to.dispatcher().OnDetached(request.task_manager_id(), request.registration());
          });
        });
  }
  void Detach() override { cluster_->network().Detach(process_); }
  void Heartbeat(const v1::HeartbeatRequest& request, milliseconds deadline,
                 Answer<v1::HeartbeatResponse> done) override {
    Call<v1::HeartbeatResponse>(
        [request, cluster = cluster_](JobManager& to) -> Result<v1::HeartbeatResponse> {
          auto response = to.dispatcher().Heartbeat(request);
          cluster->observer().heartbeats().OnHeartbeat(HeardBy(to, request.task_manager_id()),
                                                       request.leader_epoch(), !response.unknown());
          return response;
        },
        std::move(done), {CallKind::kHeartbeat, deadline});
  }
  void UpdateTasks(const v1::UpdateTasksRequest& request,
                   Answer<v1::UpdateTasksResponse> done) override {
    Call<v1::UpdateTasksResponse>(
        [request](JobManager& to) {
          return to.dispatcher().UpdateTasks(request).map([] { return v1::UpdateTasksResponse(); });
        },
        std::move(done));
  }
  void ReportCheckpoint(const v1::ReportCheckpointRequest& request,
                        Answer<v1::ReportCheckpointResponse> done) override {
    Call<v1::ReportCheckpointResponse>(
        [request, cluster = cluster_](JobManager& to) {
          const Status status = to.dispatcher().ReportCheckpoint(request);
          // One that leads no longer cannot make anything of it.
          if (cluster->job_manager() == &to) {
            cluster->observer().OnJobManagerAnswer(request, status.has_value());
          }
          return status.map([] { return v1::ReportCheckpointResponse(); });
        },
        std::move(done));
  }

 private:
  static void OnDispatcher(Cluster* cluster, const ProcessPtr& process,
                           std::function<void(JobManager&)> what) {
    JobManager* const to = cluster->FindJobManager(process);
    if (to != nullptr) to->executor().Post([to, what = std::move(what)] { what(*to); });
  }
  template <typename Response>
  void Call(std::function<Result<Response>(JobManager&)> handle, Answer<Response> done,
            CallOptions options = {}) {
    cluster_->network().Call<Response>(
        process_, kJobManagerName,
        [cluster = cluster_, handle = std::move(handle)](const ProcessPtr& at, auto reply) {
          OnDispatcher(cluster, at, [handle, reply](JobManager& to) { reply(handle(to)); });
        },
        std::move(done), options);
  }

  Cluster* const cluster_;
  const ProcessPtr process_;
};

// Lets the oracle see what the TaskManager says to a message.
struct Observed {
  Observer* observer;
  std::string target;

  template <typename Request>
  std::function<void(Status)> operator()(const Request& request,
                                         std::function<void(Status)> reply) const {
    return [observed = *this, epoch = request.leader_epoch(),
            reply = std::move(reply)](const Status& status) {
      observed.observer->OnTaskManagerAnswer(observed.target, epoch, status.has_value());
      reply(status);
    };
  }
};

class ToTaskManager final : public TaskManagerGateway {
 public:
  ToTaskManager(Cluster* cluster, ProcessPtr process, std::string task_manager)
      : cluster_(cluster), process_(std::move(process)), target_(std::move(task_manager)) {}

  void DiscoverSplits(const v1::DiscoverSplitsRequest& request,
                      std::function<void(Result<v1::DiscoverSplitsResponse>)> done) override {
    auto response = std::make_shared<v1::DiscoverSplitsResponse>();
    Call<v1::DiscoverSplitsResponse>(
        request,
        [response](TaskManager& to, const auto& message, auto reply) {
          to.control().DiscoverSplits(message, *response, [response, reply](const Status& status) {
            reply(status.map([&] { return *response; }));
          });
        },
        std::move(done));
  }
  void DeployTasks(const v1::DeployTasksRequest& request,
                   std::function<void(Status)> done) override {
    cluster_->observer().OnDeployment(request);
    Call<void>(
        request,
        [observed = observed()](TaskManager& to, const auto& message, auto reply) {
          to.control().DeployTasks(message, observed(message, std::move(reply)));
        },
        std::move(done));
  }
  void CancelTasks(const v1::CancelTasksRequest& request,
                   std::function<void(Result<v1::CancelTasksResponse>)> done) override {
    Call<v1::CancelTasksResponse>(
        request,
        [](TaskManager& to, const auto& message, auto reply) {
          v1::CancelTasksResponse response;
          const Status status = to.control().CancelTasks(message, response);
          reply(status.map([&] { return response; }));
        },
        std::move(done));
  }
  void TriggerCheckpoint(const v1::TriggerCheckpointRequest& request,
                         std::function<void(Status)> done) override {
    cluster_->observer().OnTrigger(request);
    Call<void>(
        request,
        [observed = observed()](TaskManager& to, const auto& message, auto reply) {
          observed(message, std::move(reply))(to.control().TriggerCheckpoint(message));
        },
        std::move(done));
  }
  void NotifyCheckpoint(const v1::NotifyCheckpointRequest& request,
                        std::function<void(Status)> done) override {
    Call<void>(
        request,
        [observed = observed()](TaskManager& to, const auto& message, auto reply) {
          observed(message, std::move(reply))(to.control().NotifyCheckpoint(message));
        },
        std::move(done));
  }

 private:
  Observed observed() const { return {&cluster_->observer(), target_}; }
  template <typename Response, typename Request, typename Handle>
  void Call(const Request& request, Handle handle, std::function<void(Result<Response>)> done) {
    auto message = std::make_shared<Request>(request);
    cluster_->network().Call<Response>(
        process_, target_,
        [cluster = cluster_, target = target_, message, handle](const ProcessPtr&, auto reply) {
          TaskManager* const to = cluster->FindTaskManager(target);
          if (to == nullptr) return;
          to->executor().Post([to, message, handle, reply] {
            handle(*to, *message, [message, reply](const auto& result) { reply(result); });
          });
        },
        std::move(done));
  }

  Cluster* const cluster_;
  const ProcessPtr process_;
  const std::string target_;
};

}  // namespace

std::shared_ptr<JobManagerGateway> MakeJobManagerGateway(Cluster* cluster,
                                                         const ProcessPtr& process) {
  return std::make_shared<ToJobManager>(cluster, process);
}

std::shared_ptr<TaskManagerGateway> MakeTaskManagerGateway(Cluster* cluster,
                                                           const ProcessPtr& process,
                                                           const std::string& task_manager) {
  return std::make_shared<ToTaskManager>(cluster, process, task_manager);
}

}  // namespace watershed::sim
