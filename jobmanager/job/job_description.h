// What a submitted graph means on this cluster: its plan, its restarts and its checkpoints. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "jobmanager/job/job_master.h"
#include "runtime/types/result.h"
#include "watershed/v1/store.pb.h"

namespace watershed {

struct JobDefaults {
  int32_t parallelism = 1;
  int32_t max_parallelism = 128;
  std::string checkpoint_directory;  // empty: the cluster takes no checkpoints
  std::string savepoint_directory;   // of those that name none; may be empty
  CheckpointSettings checkpoints;
  AdaptiveSettings adaptive;
  bool restarts_regions = false;  // jobmanager.failover-strategy
};

// Writes into a graph what it leaves to the cluster, so that the job stays the same when the
// cluster's defaults change.
void Fix(const JobDefaults& defaults, v1::JobGraph& graph);

// A user error when the graph cannot be planned, or asks for what this cluster cannot do.
Result<JobDescription> Describe(const v1::StoredJob& stored, const JobDefaults& defaults);

// Of a job that an earlier JobManager knew: never an error, but perhaps `unusable`.
JobDescription DescribeRecovered(const v1::StoredJob& stored, const JobDefaults& defaults);

}  // namespace watershed
