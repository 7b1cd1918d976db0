// Views of one checkpoint by vertex and subtask.
#include <algorithm>
#include <functional>
#include <map>

#include "jobmanager/rest/checkpoint_json.h"

namespace watershed {
namespace {

using Part = v1::SubtaskCheckpoint;

// Of one vertex, by subtask.
std::map<int32_t, const Part*> PartsOf(const v1::CheckpointDetails& checkpoint,
                                       const v1::Vertex& vertex) {
  std::map<int32_t, const Part*> parts;
  for (const Part& part : checkpoint.subtasks()) {
    if (part.vertex_id() == vertex.id()) parts[part.subtask()] = &part;
  }
  return parts;
}

int64_t EndToEndMs(const v1::CheckpointDetails& checkpoint, const Part& part) {
  return std::max<int64_t>(0, part.answered_time_ms() - checkpoint.summary().trigger_time_ms());
}

// From the trigger until the first barrier came: what the other times leave over.
int64_t StartDelayMs(const v1::CheckpointDetails& checkpoint, const Part& part) {
  const int64_t known_us = part.alignment_us() + part.sync_us() + part.async_us();
  return std::max<int64_t>(0, EndToEndMs(checkpoint, part) - known_us / 1000);
}

// Flink's TaskCheckpointStatistics.
Json VertexJson(const v1::CheckpointDetails& checkpoint, const v1::Vertex& vertex) {
  int64_t latest_ms = -1;
  int64_t written = 0;
  int64_t state = 0;
  const std::map<int32_t, const Part*> parts = PartsOf(checkpoint, vertex);
  for (const auto& [subtask, part] : parts) {
    latest_ms = std::max(latest_ms, part->answered_time_ms());
    written += part->written_bytes();
    state += part->state_bytes();
  }
  const v1::CheckpointSummary& summary = checkpoint.summary();
  const bool all = static_cast<int32_t>(parts.size()) == vertex.parallelism();
  return {{"id", summary.id()},
          {"status", StatusName(all ? v1::CheckpointSummary::COMPLETED : summary.status())},
          {"latest_ack_timestamp", latest_ms},
          {"checkpointed_size", written},
          {"state_size", state},
          {"end_to_end_duration",
           latest_ms < 0 ? -1 : std::max<int64_t>(0, latest_ms - summary.trigger_time_ms())},
          {"alignment_buffered", 0},
          {"processed_data", 0},
          {"persisted_data", 0},
          {"num_subtasks", vertex.parallelism()},
          {"num_acknowledged_subtasks", static_cast<int64_t>(parts.size())}};
}

Json SubtaskJson(const v1::CheckpointDetails& checkpoint, int32_t index, const Part* part) {
  if (part == nullptr) {
    return {{"className", "pending"}, {"index", index}, {"status", "pending_or_failed"}};
  }
  return {{"className", "completed"},
          {"index", index},
          {"status", "completed"},
          {"ack_timestamp", part->answered_time_ms()},
          {"end_to_end_duration", EndToEndMs(checkpoint, *part)},
          {"checkpointed_size", part->written_bytes()},
          {"state_size", part->state_bytes()},
          {"checkpoint", {{"sync", part->sync_us() / 1000}, {"async", part->async_us() / 1000}}},
          {"alignment",
           {{"buffered", 0},
            {"processed", 0},
            {"persisted", 0},
            {"duration", part->alignment_us() / 1000}}},
          {"start_delay", StartDelayMs(checkpoint, *part)},
          {"unaligned_checkpoint", false},
          {"aborted", false}};
}

Json SummaryJson(const v1::CheckpointDetails& checkpoint,
                 const std::map<int32_t, const Part*>& parts) {
  const auto over = [&](const std::function<int64_t(const Part&)>& figure) {
    std::vector<int64_t> values;
    values.reserve(parts.size());
    for (const auto& [subtask, part] : parts) values.push_back(figure(*part));
    return DistributionJson(std::move(values));
  };
  const Json unused = DistributionJson({});
  return {
      {"checkpointed_size", over([](const Part& part) { return part.written_bytes(); })},
      {"state_size", over([](const Part& part) { return part.state_bytes(); })},
      {"end_to_end_duration", over([&](const Part& part) { return EndToEndMs(checkpoint, part); })},
      {"checkpoint_duration",
       {{"sync", over([](const Part& part) { return part.sync_us() / 1000; })},
        {"async", over([](const Part& part) { return part.async_us() / 1000; })}}},
      {"alignment",
       {{"buffered", unused},
        {"processed", unused},
        {"persisted", unused},
        {"duration", over([](const Part& part) { return part.alignment_us() / 1000; })}}},
      {"start_delay", over([&](const Part& part) { return StartDelayMs(checkpoint, part); })}};
}

}  // namespace

Json CheckpointDetailsJson(const v1::JobDetails& job, const v1::CheckpointDetails& checkpoint,
                           int64_t now_ms) {
  Json json = CheckpointJson(checkpoint.summary(), now_ms);
  if (checkpoint.summary().subtasks() == 0) return json;  // an earlier JobManager's
  for (const v1::Vertex& vertex : job.plan().vertices()) {
    json["tasks"][vertex.id()] = VertexJson(checkpoint, vertex);
  }
  return json;
}

Json CheckpointSubtasksJson(const v1::CheckpointDetails& checkpoint, const v1::Vertex& vertex) {
  Json json = VertexJson(checkpoint, vertex);
  const std::map<int32_t, const Part*> parts = PartsOf(checkpoint, vertex);
  json["summary"] = SummaryJson(checkpoint, parts);
  json["subtasks"] = Json::array();
  for (int32_t i = 0; i < vertex.parallelism(); ++i) {
    const auto part = parts.find(i);
    json["subtasks"].push_back(
        SubtaskJson(checkpoint, i, part == parts.end() ? nullptr : part->second));
  }
  return json;
}

}  // namespace watershed
