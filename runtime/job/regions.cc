#include "runtime/job/regions.h"

#include <algorithm>

namespace watershed {
namespace {

// Vertices that exchanges join, directly or by others, have the same name.
class Components {
 public:
  void Join(const std::string& a, const std::string& b) {
    const std::string root = RootOf(a);
    above_[RootOf(b)] = root;
    above_[root] = root;
  }
  bool Contains(const std::string& vertex) const { return above_.contains(vertex); }
  std::string RootOf(const std::string& vertex) const {
    std::string root = vertex;
    for (auto at = above_.find(root); at != above_.end() && at->second != root;) {
      root = at->second;
      at = above_.find(root);
    }
    return root;
  }

 private:
  std::map<std::string, std::string> above_;
};

}  // namespace

Regions Regions::Of(const v1::PhysicalPlan& plan) {
  Components components;
  for (const v1::Edge& edge : plan.edges()) {
    components.Join(edge.source_vertex_id(), edge.target_vertex_id());
  }
  Regions regions;
  std::map<std::string, int32_t> by_root;
  for (const v1::Vertex& vertex : plan.vertices()) {
    OfVertex& own = regions.vertices_[vertex.id()];
    own.by_subtask = !components.Contains(vertex.id());
    own.parallelism = vertex.parallelism();
    own.first = regions.count_;
    if (own.by_subtask) {
      regions.count_ += vertex.parallelism();
      continue;
    }
    const auto [known, is_new] =
        by_root.try_emplace(components.RootOf(vertex.id()), regions.count_);
    own.first = known->second;
    regions.count_ += is_new ? 1 : 0;
  }
  return regions;
}

Regions Regions::One(const v1::PhysicalPlan& plan) {
  Regions regions;
  for (const v1::Vertex& vertex : plan.vertices()) {
    regions.vertices_[vertex.id()].parallelism = vertex.parallelism();
  }
  regions.count_ = 1;
  return regions;
}

int32_t Regions::Find(std::string_view vertex_id, int32_t subtask) const {
  const auto found = vertices_.find(vertex_id);
  if (found == vertices_.end() || subtask < 0 || subtask >= found->second.parallelism) return -1;
  return found->second.first + (found->second.by_subtask ? subtask : 0);
}

bool Regions::IsAlone(int32_t region) const {
  return std::ranges::any_of(vertices_, [&](const auto& entry) {
    const OfVertex& vertex = entry.second;
    return vertex.by_subtask && region >= vertex.first &&
           region < vertex.first + vertex.parallelism;
  });
}

}  // namespace watershed
