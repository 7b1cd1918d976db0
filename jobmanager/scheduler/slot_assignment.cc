#include "jobmanager/scheduler/slot_assignment.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace watershed {

int32_t SlotsNeeded(const v1::PhysicalPlan& plan) {
  int32_t needed = 0;
  for (const v1::Vertex& vertex : plan.vertices()) needed = std::max(needed, vertex.parallelism());
  return needed;
}

std::optional<std::vector<std::string>> AssignSlots(int32_t needed,
                                                    const std::vector<FreeSlots>& cluster) {
  struct Candidate {
    int32_t taken;
    int32_t free;
    const std::string* id;
  };
  std::vector<Candidate> candidates;
  candidates.reserve(cluster.size());
  for (const FreeSlots& slots : cluster)
    candidates.push_back({0, slots.free, &slots.task_manager_id});

  std::vector<std::string> assigned;
  while (static_cast<int32_t>(assigned.size()) < needed) {
    Candidate* best = nullptr;
    for (Candidate& candidate : candidates) {
      if (candidate.free <= 0) continue;
      if (best == nullptr || std::tuple(candidate.taken, -candidate.free, *candidate.id) <
                                 std::tuple(best->taken, -best->free, *best->id)) {
        best = &candidate;
      }
    }
    if (best == nullptr) return std::nullopt;
    ++best->taken;
    --best->free;
    assigned.push_back(*best->id);
  }
  return assigned;
}

std::string MissingSlotsReason(int32_t needed, const std::vector<FreeSlots>& cluster) {
  int32_t free = 0;
  int32_t total = 0;
  for (const FreeSlots& slots : cluster) {
    free += std::max(slots.free, 0);
    total += slots.total;
  }
  const int32_t missing = needed - free;
  std::string reason =
      fmt::format("waiting for {} more slot{}: job needs {}, cluster has {} free of {}", missing,
                  missing == 1 ? "" : "s", needed, free, total);
  if (cluster.empty()) reason += "; no TaskManager is registered";
  return reason;
}

}  // namespace watershed
