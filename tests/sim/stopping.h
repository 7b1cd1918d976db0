// A client that stops the job with a savepoint, or takes one and lets it go on:
// asks until it is heard, then looks what has come of it, over JobManagers that
// come and go.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/cluster.h"
#include "tests/sim/scenario.h"
#include "watershed/v1/checkpoint.pb.h"
#include "watershed/v1/control.pb.h"

namespace watershed::sim {

class Stopping {
 public:
  explicit Stopping(Cluster* cluster) : cluster_(cluster) {}

  // Another operation.
  void Begin(const std::string& job, bool drain);
  bool active() const { return !operation_.empty(); }
  bool drain() const { return drain_; }
  enum class Outcome : uint8_t { kOpen, kCompleted, kFailed };
  // Once it is completed or has failed, it is active no longer. `state`: of the
  // job, as shown.
  Outcome Look(JobManager& to, v1::JobState state);
  const std::string& path() const { return path_; }  // of the completed one
  // Takes one now and then.
  void TakeSavepoint(JobManager& to, const std::string& job);

  // All that were reported to be complete are whole; the rows of the last
  // stop's are what its job made visible, and nothing else.
  void JudgeSavepoints();
  void JudgeRowsOfStop(const Scenario& scenario);
  // The scenario whose splits end where the stop's savepoint begins.
  Scenario UpToStop(const Scenario& scenario);

  static constexpr const char* kDirectory = "memory://savepoints";

 private:
  void Ask(JobManager& to);
  // Nothing: it cannot be read.
  bool Read(const std::string& path, v1::CheckpointManifest* out);

  Cluster* const cluster_;
  std::string job_;
  std::string operation_;  // empty: none
  bool drain_ = false;
  int asked_ = 0;  // the number of the JobManager that has been asked and has
                   // not answered
  bool acknowledged_ = false;
  int operations_ = 0;
  std::string path_;
  std::string savepoint_operation_;
  std::string savepoint_job_;
  std::vector<std::string> savepoints_;
};

}  // namespace watershed::sim
