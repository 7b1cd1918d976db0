// What fails and restarts together: a region is what exchanges join, a connected component of
// subtasks. An exchange joins all subtasks of two vertices, so the vertices that exchanges join are
// one region, and a vertex without any has as many as subtasks. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "watershed/v1/physical_plan.pb.h"

namespace watershed {

// Numbered from 0 in the plan's order of their first subtasks: the same plan has the same ones.
class Regions {
 public:
  static Regions Of(const v1::PhysicalPlan& plan);
  // All subtasks together, whatever joins them.
  static Regions One(const v1::PhysicalPlan& plan);

  int32_t count() const { return count_; }
  // -1: the plan has no such vertex.
  int32_t Find(std::string_view vertex_id, int32_t subtask) const;
  // It is a single subtask without an exchange, and so needs to know of no other.
  bool IsAlone(int32_t region) const;

 private:
  struct OfVertex {
    int32_t first = 0;
    bool by_subtask = false;  // subtask i is the only one of region first + i
    int32_t parallelism = 0;
  };
  std::map<std::string, OfVertex, std::less<>> vertices_;
  int32_t count_ = 0;
};

}  // namespace watershed
