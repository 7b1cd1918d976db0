#include "jobmanager/job/job_description.h"

#include <algorithm>
#include <utility>

#include "runtime/checkpoint/layout.h"
#include "runtime/config/units.h"
#include "runtime/job/physical_planner.h"
#include "runtime/job/redact.h"

namespace watershed {
namespace {

Status CheckDirectory(const v1::StoredJob& stored, const JobDefaults& defaults) {
  if (!defaults.checkpoint_directory.empty()) return Ok();
  const v1::JobGraph& graph = stored.submission().graph();
  if (stored.submission().has_restore_from() || stored.checkpoints_size() > 0) {
    return UserError(
        "job '{}' begins with a checkpoint, and this cluster has nowhere to go on "
        "from there: {}",
        graph.name(), kSetCheckpointDirectory);
  }
  const int64_t interval_ms = graph.checkpointing().interval_ms();
  if (interval_ms == 0) return Ok();
  return UserError(
      "job '{}' asks for a checkpoint every {}, and this cluster has nowhere to put "
      "it: {}, or leave 'checkpointing' out of the job",
      graph.name(), FormatDuration(std::chrono::milliseconds(interval_ms)),
      kSetCheckpointDirectory);
}

}  // namespace

void Fix(const JobDefaults& defaults, v1::JobGraph& graph) {
  if (!graph.has_parallelism()) graph.set_parallelism(defaults.parallelism);
  if (!graph.has_max_parallelism()) graph.set_max_parallelism(defaults.max_parallelism);
}

Result<JobDescription> Describe(const v1::StoredJob& stored, const JobDefaults& defaults) {
  const v1::JobGraph& graph = stored.submission().graph();
  JobDescription job;
  job.stored = stored;
  PlanOptions options;
  options.default_parallelism = defaults.parallelism;
  options.max_parallelism = defaults.max_parallelism;
  WS_ASSIGN_OR_RETURN(job.plan, PlanJob(graph, options));
  if (job.plan.vertices_size() == 0) {
    return UserError("job '{}' has no sources and no sinks", graph.name());
  }
  WS_RETURN_IF_ERROR(CheckDirectory(stored, defaults));
  job.shown_plan = Redact(job.plan);
  job.shown_graph = Redact(graph);
  WS_ASSIGN_OR_RETURN(job.restart, RestartSettingsOf(graph));
  job.adaptive = defaults.adaptive;
  // With fewer slots it is another plan: then all tasks start anew.
  job.restarts_regions = defaults.restarts_regions && !defaults.adaptive.enabled;
  job.checkpoints = defaults.checkpoints;
  job.checkpoints.interval = std::chrono::milliseconds(graph.checkpointing().interval_ms());
  return job;
}

JobDescription DescribeRecovered(const v1::StoredJob& stored, const JobDefaults& defaults) {
  JobDescription job;
  if (Result<JobDescription> described = Describe(stored, defaults)) {
    job = std::move(*described);
  } else {
    job.stored = stored;
    job.unusable = "cannot be run by this JobManager: " + described.error().message;
  }
  job.recovered = true;
  const v1::CheckpointRef& from = stored.submission().restore_from();
  job.checkpoints_used =
      CheckpointId{std::max(from.checkpoint_id(), stored.submission().checkpoints_used())};
  job.attempts_used = std::max(AttemptOfFile(from.manifest().name()).value_or(Attempt{0}),
                               Attempt{stored.submission().attempts_used()});
  return job;
}

}  // namespace watershed
