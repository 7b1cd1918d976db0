// Who submits the job, looks how it is, and, in some scenarios, cancels it and submits it again
// from a retained checkpoint at another parallelism.
#pragma once

#include <functional>
#include <string>

#include "tests/sim/cluster.h"
#include "tests/sim/scenario.h"
#include "tests/sim/stopping.h"
#include "watershed/v1/control.pb.h"

namespace watershed::sim {

class Client {
 public:
  Client(const Scenario& scenario, Cluster* cluster);

  // Looks at the JobManager, if there is one, and does what is next.
  void Glance();

  bool submitted() const { return !job_.empty(); }
  // Its last rows may be read: it has been submitted as often as it will be.
  bool may_end() const { return second_ == second_wanted_ && stops_left_ == 0; }
  // Called when a stop has been asked for.
  std::function<void()> on_stop;
  // To be drained now, and as often as it takes.
  void Drain() { drain_wanted_ = true; }
  int64_t stops() const { return stops_; }  // completed
  int64_t failed_stops() const { return failed_stops_; }
  Stopping& stopping() { return stopping_; }
  bool ended() const { return ended_; }
  const std::string& state() const { return state_; }
  const std::string& reason() const { return reason_; }

 private:
  void Submit(JobManager& to, int parallelism, const std::string& restore_path);
  // True: nothing else is to be done.
  bool StopOrResubmit(JobManager& to, v1::JobState state);

  const Scenario& scenario_;
  Cluster* const cluster_;
  const bool second_wanted_;
  bool second_ = false;          // it has been submitted again
  std::string job_;              // the one that counts
  const void* asked_ = nullptr;  // the JobManager that a submission is under way to
  bool ended_ = false;
  Stopping stopping_;
  int stops_left_ = 0;
  bool drain_wanted_ = false;
  std::string stopped_;  // the job that the completed stop was of
  int64_t stops_ = 0;
  int64_t failed_stops_ = 0;
  int64_t glances_ = 0;
  std::string state_ = "not submitted";
  std::string reason_;
};

}  // namespace watershed::sim
