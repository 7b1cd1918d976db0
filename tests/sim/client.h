// Who submits the job, looks how it is, and, in some scenarios, cancels it and submits it again
// from a retained checkpoint at another parallelism.
#pragma once

#include <string>

#include "tests/sim/cluster.h"
#include "tests/sim/scenario.h"
#include "watershed/v1/control.pb.h"

namespace watershed::sim {

class Client {
 public:
  Client(const Scenario& scenario, Cluster* cluster);

  // Looks at the JobManager, if there is one, and does what is next.
  void Glance();

  bool submitted() const { return !job_.empty(); }
  // Its last rows may be read: it has been submitted as often as it will be.
  bool may_end() const { return second_ == second_wanted_; }
  bool ended() const { return ended_; }
  const std::string& state() const { return state_; }
  const std::string& reason() const { return reason_; }

 private:
  void Submit(JobManager& to, int parallelism, const std::string& restore_path);
  void CancelOrResubmit(JobManager& to);

  const Scenario& scenario_;
  Cluster* const cluster_;
  const bool second_wanted_;
  bool second_ = false;          // it has been submitted again
  std::string job_;              // the one that counts
  const void* asked_ = nullptr;  // the JobManager that a submission is under way to
  bool ended_ = false;
  int64_t glances_ = 0;
  std::string state_ = "not submitted";
  std::string reason_;
};

}  // namespace watershed::sim
