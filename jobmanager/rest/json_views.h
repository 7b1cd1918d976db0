// Views → JSON in Flink's shapes (REST API v1 of Flink 2.3): pure functions. Every primitive that
// Flink's clients expect is present, also where we have no such figure: a missing one fails the
// whole response there. What Flink has no field for is in an object "watershed", which its clients
// ignore. All times are milliseconds since the epoch.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>

#include "jobmanager/job/job_view.h"

namespace watershed {

namespace v1 {
class Vertex;
}  // namespace v1

using Json = nlohmann::ordered_json;

// What this build calls itself where Flink's clients ask for Flink's version.
struct BuildInfo {
  std::string_view version;  // "0.1.0"
  std::string_view commit;
};

// GET /config
Json ConfigJson(const BuildInfo& build);
// GET /overview
Json OverviewJson(std::span<const v1::JobSummary> jobs, std::span<const TaskManagerView> workers,
                  const BuildInfo& build);
// GET /jobs
Json JobIdsJson(std::span<const v1::JobSummary> jobs);
// GET /jobs/overview
Json JobsOverviewJson(std::span<const v1::JobSummary> jobs, int64_t now_ms);
// GET /jobs/:jobid
Json JobDetailsJson(const v1::JobDetails& job, int64_t now_ms);
// GET /jobs/:jobid/checkpoints. A job that takes none has zeros.
Json CheckpointsJson(const v1::JobDetails& job, int64_t now_ms);
// GET /jobs/:jobid/checkpoints/config
Json CheckpointConfigJson(const v1::JobDetails& job);
// GET /jobs/:jobid/checkpoints/details/:checkpointid
Json CheckpointDetailsJson(const v1::JobDetails& job, const v1::CheckpointDetails& checkpoint,
                           int64_t now_ms);
// GET /jobs/:jobid/checkpoints/details/:checkpointid/subtasks/:vertexid
Json CheckpointSubtasksJson(const v1::CheckpointDetails& checkpoint, const v1::Vertex& vertex);
// GET /taskmanagers
Json TaskManagersJson(std::span<const TaskManagerView> workers);
// GET /taskmanagers/:taskmanagerid
Json TaskManagerDetailsJson(const TaskManagerView& worker);
// {"errors":["…"]}
Json ErrorsJson(std::string_view message);

// Bytes for the wire; text that is not UTF-8 gets replacement characters.
std::string Serialize(const Json& json);

}  // namespace watershed
