// Which TaskManager runs which subtask: pure functions.
//
// Slot sharing, as in Flink: a slot holds one subtask of each vertex, so a job needs as many slots
// as its largest parallelism; slot i runs subtask i of every vertex that has one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "watershed/v1/physical_plan.pb.h"

namespace watershed {

struct FreeSlots {
  std::string task_manager_id;
  int32_t free = 0;
  int32_t total = 0;
  bool leaving = false;  // it takes no more tasks; then `free` means nothing
};

int32_t SlotsNeeded(const v1::PhysicalPlan& plan);

// The plan for at most so many slots: what has a larger parallelism gets this one. Everything else
// stays, the number of key groups too. Precondition: slots >= 1.
v1::PhysicalPlan FitTo(int32_t slots, v1::PhysicalPlan plan);

int32_t CountFree(const std::vector<FreeSlots>& cluster);

// The TaskManager of each slot: always the one that holds the fewest slots of this job so far, then
// the one with the most free ones, then the first by id. So a vertex of any parallelism is spread
// as evenly as can be. nullopt when there are too few.
std::optional<std::vector<std::string>> AssignSlots(int32_t needed,
                                                    const std::vector<FreeSlots>& cluster);

// "waiting for 2 more slots: job needs 4, cluster has 2 free of 2; 1 TaskManager more is leaving"
std::string MissingSlotsReason(int32_t needed, const std::vector<FreeSlots>& cluster);

}  // namespace watershed
