// Delivers what tasks answer about checkpoints to the JobManager: each report again and again until
// it is answered, over as many registrations as that takes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "runtime/process/executor.h"
#include "runtime/types/ids.h"
#include "runtime/types/result.h"
#include "taskmanager/cluster/job_manager_gateway.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

// On the executor. Reports may overtake each other. One that the JobManager refuses for good (a
// stale attempt) is dropped.
class CheckpointReports : public std::enable_shared_from_this<CheckpointReports> {
 public:
  CheckpointReports(std::shared_ptr<JobManagerGateway> gateway, Executor* executor)
      : gateway_(std::move(gateway)), executor_(executor) {}

  // Sender and leader epoch are set here, at every try.
  void Add(v1::ReportCheckpointRequest report);
  void OnRegistered(const std::string& task_manager_id, LeaderEpoch epoch);
  void OnDetached() { registered_ = false; }
  bool empty() const { return waiting_.empty(); }

 private:
  struct Waiting {
    v1::ReportCheckpointRequest report;
    bool under_way = false;
  };
  void Send(uint64_t id);
  void OnAnswer(uint64_t id, const Result<v1::ReportCheckpointResponse>& answer);

  const std::shared_ptr<JobManagerGateway> gateway_;
  Executor* const executor_;
  bool registered_ = false;
  std::string task_manager_id_;
  LeaderEpoch leader_epoch_{0};
  uint64_t last_id_ = 0;
  std::map<uint64_t, Waiting> waiting_;
};

}  // namespace watershed
