#include "jobmanager/scheduler/slot_assignment.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace watershed {
namespace {

// What explains that there are so few.
std::string WhoIsThere(size_t task_managers, size_t leaving) {
  if (task_managers == 0) return "; no TaskManager is registered";
  if (leaving == 0) return "";
  if (task_managers == 1) return "; the only TaskManager is leaving";
  if (leaving == task_managers) return fmt::format("; all {} TaskManagers are leaving", leaving);
  return fmt::format("; {} TaskManager{} more {} leaving", leaving, leaving == 1 ? "" : "s",
                     leaving == 1 ? "is" : "are");
}

}  // namespace

int32_t SlotsNeeded(const v1::PhysicalPlan& plan) {
  int32_t needed = 0;
  for (const v1::Vertex& vertex : plan.vertices()) needed = std::max(needed, vertex.parallelism());
  return needed;
}

v1::PhysicalPlan FitTo(int32_t slots, v1::PhysicalPlan plan) {
  for (v1::Vertex& vertex : *plan.mutable_vertices()) {
    vertex.set_parallelism(std::min(vertex.parallelism(), slots));
  }
  return plan;
}

int32_t CountFree(const std::vector<FreeSlots>& cluster) {
  int32_t free = 0;
  for (const FreeSlots& slots : cluster) free += slots.leaving ? 0 : std::max(slots.free, 0);
  return free;
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
  for (const FreeSlots& slots : cluster) {
    if (!slots.leaving) candidates.push_back({0, slots.free, &slots.task_manager_id});
  }

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
  const int32_t free = CountFree(cluster);
  int32_t total = 0;
  size_t leaving = 0;
  for (const FreeSlots& slots : cluster) {
    total += slots.leaving ? 0 : slots.total;
    leaving += slots.leaving;
  }
  const int32_t missing = needed - free;
  std::string reason =
      fmt::format("waiting for {} more slot{}: job needs {}, cluster has {} free of {}", missing,
                  missing == 1 ? "" : "s", needed, free, total);
  return reason + WhoIsThere(cluster.size(), leaving);
}

}  // namespace watershed
