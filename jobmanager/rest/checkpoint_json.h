// Pieces of the JSON of checkpoints.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "jobmanager/rest/json_views.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

const char* StatusName(v1::CheckpointSummary::Status status);  // Flink's
// Flink's CheckpointStatistics: one class by status, told apart by className.
Json CheckpointJson(const v1::CheckpointSummary& checkpoint, int64_t now_ms);
// Flink's StatsSummaryDto.
Json DistributionJson(std::vector<int64_t> values);

}  // namespace watershed
