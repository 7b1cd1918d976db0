// The TaskManager's side of its registration: registers, again and again until a JobManager takes
// it, keeps the connection that tells both sides of the other's end, sends heartbeats (whether or
// not those before have been answered, so that one that is lost is no silence), and delivers task
// reports in order until they are acknowledged. Tasks outlive the JobManager: when it goes,
// registration begins again and says what runs here.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "runtime/process/executor.h"
#include "runtime/types/ids.h"
#include "runtime/types/result.h"
#include "taskmanager/cluster/checkpoint_reports.h"
#include "taskmanager/cluster/job_manager_gateway.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

// All run on the executor.
struct JobManagerCallbacks {
  // What a registration says besides who it is: what runs here already.
  std::function<void(v1::RegisterTaskManagerRequest&)> fill_registration;
  // What a heartbeat says besides who it is.
  std::function<void(v1::HeartbeatRequest&)> fill_heartbeat;
  // Before anything of this leader is obeyed; called for every registration.
  // `without_log`: it may be lower than the one before.
  std::function<void(LeaderEpoch, bool without_log)> on_registered;
  // The registration has come to an end; null: nobody asks.
  std::function<void()> on_detached;
  // Attempts that the JobManager does not want any more.
  std::function<void(const JobId&, Attempt)> on_stale;
};

class JobManagerConnection : public std::enable_shared_from_this<JobManagerConnection> {
 public:
  // A JobManager that has answered no heartbeat for `silence_max` is left for another one, if there
  // is one: its process may be stopped, and its connections open.
  JobManagerConnection(std::shared_ptr<JobManagerGateway> gateway, Executor* executor,
                       JobManagerCallbacks callbacks, std::chrono::milliseconds silence_max);

  // On the executor, as everything else. Reports that come before are kept.
  void Start(v1::RegisterTaskManagerRequest self);
  // A heartbeat now and not only when it is due, which flushed() waits for.
  void Announce();
  bool registered() const { return registered_; }
  // Whether the JobManager still wants an attempt that runs here, as it says in answer to a
  // heartbeat that is sent now. A transient error when it does not answer.
  void AskIfWanted(const JobId& job, Attempt attempt, std::function<void(Result<bool>)> answer);
  // Registers no more. Reports under way are still delivered.
  void Leave() { leaving_ = true; }
  void Report(v1::SubtaskReport report);
  void Report(v1::ReportCheckpointRequest report) { checkpoint_reports_->Add(std::move(report)); }
  // No reports and no announcement wait for their acknowledgement, or there is nobody to give it.
  bool flushed() const {
    return !registered_ || (reports_.empty() && !update_under_way_ && !announcement_under_way_ &&
                            checkpoint_reports_->empty());
  }
  LeaderEpoch leader_epoch() const { return leader_epoch_; }

 private:
  void Register();
  void RegisterLater();
  Status CheckLeads(const Result<v1::RegisterTaskManagerResponse>& response) const;
  void OnRegistered(const Result<v1::RegisterTaskManagerResponse>& response);
  void Attach();
  void OnDetached(int64_t registration);
  void LeaveTheSilent();
  void ScheduleHeartbeat();
  void SendHeartbeat();
  using OnAnswer = std::function<void(const Result<v1::HeartbeatResponse>&)>;
  void SendHeartbeat(const OnAnswer& also);
  void SendReports();

  v1::RegisterTaskManagerRequest self_;
  Executor* const executor_;
  const std::shared_ptr<JobManagerGateway> gateway_;
  const JobManagerCallbacks callbacks_;
  const std::chrono::milliseconds silence_max_;
  const std::shared_ptr<CheckpointReports> checkpoint_reports_;

  bool registered_ = false;
  bool registering_ = false;
  bool leaving_ = false;
  bool was_refused_ = false;  // said once, not at every try
  LeaderEpoch leader_epoch_{0};
  int64_t registration_ = 0;
  std::chrono::milliseconds heartbeat_interval_{1000};
  Executor::TimerId heartbeat_timer_ = 0;
  int unanswered_heartbeats_ = 0;  // since the last answer
  bool update_under_way_ = false;
  bool announcement_under_way_ = false;
  std::deque<v1::SubtaskReport> reports_;
};

}  // namespace watershed
