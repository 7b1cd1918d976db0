#include "runtime/checkpoint/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/checkpoint/plan_fit.h"
#include "runtime/job/plan_lookup.h"
#include "runtime/job/split_assignment.h"
#include "runtime/types/event_time.h"
#include "runtime/types/key_group.h"

namespace watershed {
namespace {

using Parts = std::vector<const v1::SubtaskSnapshot*>;

// A manifest must say something of every subtask once, or some state would be lost without a word.
Status CheckParts(const v1::CheckpointManifest& manifest) {
  std::set<std::pair<std::string, int32_t>> present;
  for (const v1::SubtaskSnapshot& part : manifest.subtasks()) {
    if (!present.emplace(part.vertex_id(), part.subtask()).second) {
      return InternalError("the manifest of checkpoint {} has subtask {} of vertex {} twice",
                           manifest.checkpoint_id(), part.subtask(), part.vertex_id());
    }
  }
  size_t expected = 0;
  for (const v1::Vertex& vertex : manifest.plan().vertices()) {
    for (int32_t i = 0; i < vertex.parallelism(); ++i, ++expected) {
      if (present.contains({vertex.id(), i})) continue;
      return InternalError("the manifest of checkpoint {} lacks subtask {} of '{}'",
                           manifest.checkpoint_id(), i, vertex.name());
    }
  }
  if (present.size() == expected) return Ok();
  return InternalError("the manifest of checkpoint {} has subtasks that its plan does not have",
                       manifest.checkpoint_id());
}

bool Overlap(const KeyGroupRange& a, const KeyGroupRange& b) {
  return a.first <= b.last && b.first <= a.last;
}

KeyGroupRange RangeOf(const v1::KeyedStateSnapshot& state) {
  return {state.first_key_group(), state.last_key_group()};
}

// Gives one vertex of the plan what the checkpoint holds for its operators.
class VertexRestore {
 public:
  VertexRestore(const v1::CheckpointManifest& manifest, const v1::PhysicalPlan& plan,
                const v1::Vertex& vertex, const v1::RestoreOptions& options)
      : manifest_(manifest), plan_(plan), vertex_(vertex), options_(options) {
    std::set<std::string> nodes, former;
    for (const v1::PlanNode& node : vertex.nodes()) nodes.insert(node.id());
    for (const v1::Vertex& old : manifest.plan().vertices()) {
      for (const v1::PlanNode& node : old.nodes()) {
        if (nodes.contains(node.id())) former.insert(old.id());
      }
    }
    for (const v1::SubtaskSnapshot& part : manifest.subtasks()) {
      if (former.contains(part.vertex_id())) parts_.push_back(&part);
    }
    nodes_ = std::move(nodes);
  }

  bool has_former() const { return !parts_.empty(); }

  Status AssignTo(RestoreAssignment* assignment) {
    restores_.resize(static_cast<size_t>(vertex_.parallelism()));
    for (v1::SubtaskRestore& restore : restores_) {
      restore.set_checkpoint_id(manifest_.checkpoint_id());
      restore.set_job_id(manifest_.job_id());
      restore.set_accepts_duplicates(options_.allow_duplicates());
    }
    SetWatermarks();
    if (SourceNode(vertex_) != nullptr) WS_RETURN_IF_ERROR(AssignSplitsTo(assignment));
    for (const std::string& node : nodes_) WS_RETURN_IF_ERROR(AssignOperator(node));
    if (!options_.fork()) WS_RETURN_IF_ERROR(AssignSinks());
    for (size_t i = 0; i < restores_.size(); ++i) {
      assignment->subtasks[{vertex_.id(), static_cast<int32_t>(i)}] = std::move(restores_[i]);
    }
    return Ok();
  }

 private:
  // The minimum of all, since none may go on with a watermark that another has not reached. A
  // source's subtask without splits has no rows and does not count.
  void SetWatermarks() {
    std::optional<int64_t> minimum;
    for (const v1::SubtaskSnapshot* part : parts_) {
      if (SourceNode(vertex_) != nullptr && part->splits().empty()) continue;
      if (!part->has_watermark_ms()) return;
      minimum = std::min(minimum.value_or(part->watermark_ms()), part->watermark_ms());
    }
    // Whoever had ended ends again, unless a drained job is to go on: then it begins anew.
    if (!minimum || *minimum == kMaxWatermarkMs) return;
    for (v1::SubtaskRestore& restore : restores_) restore.set_watermark_ms(*minimum);
  }

  Status AssignSplitsTo(RestoreAssignment* assignment) {
    std::vector<v1::SplitSnapshot> all;
    std::set<std::string> ids;
    for (const v1::SubtaskSnapshot* part : parts_) {
      for (const v1::SplitSnapshot& split : part->splits()) {
        if (!ids.insert(split.split_id()).second) {
          return InternalError("checkpoint {}: source '{}' has split '{}' twice",
                               manifest_.checkpoint_id(), vertex_.nodes(0).id(), split.split_id());
        }
        all.push_back(split);
      }
    }
    const auto order = [](const v1::SplitSnapshot& split) {
      return std::tuple(split.topic(), split.partition(), split.split_id());
    };
    std::ranges::sort(all, {}, order);
    const auto dealt = AssignSplits(all, vertex_.parallelism());
    auto& splits = assignment->splits[vertex_.id()];
    splits.resize(dealt.size());
    for (size_t i = 0; i < dealt.size(); ++i) {
      for (const v1::SplitSnapshot& from : dealt[i]) {
        *restores_[i].add_splits() = from;
        v1::Split& split = splits[i].emplace_back();
        split.set_id(from.split_id());
        split.set_topic(from.topic());
        split.set_partition(from.partition());
        split.set_start_position(from.next_position());
        if (from.has_end_position()) split.set_end_position(from.end_position());
      }
    }
    return Ok();
  }

  Status AssignOperator(const std::string& id) {
    std::vector<int32_t> owners(static_cast<size_t>(plan_.max_parallelism()), 0);
    bool is_keyed = false;
    for (const v1::SubtaskSnapshot* part : parts_) {
      for (const v1::OperatorSnapshot& op : part->operators()) {
        if (op.operator_id() != id) continue;
        if (!op.has_keyed_state()) {
          // Without keys there is nothing to divide it by: it stays whole, with one subtask.
          *restores_[static_cast<size_t>(part->subtask()) % restores_.size()].add_operators() = op;
          continue;
        }
        is_keyed = true;
        const KeyGroupRange range = RangeOf(op.keyed_state());
        for (int32_t group = std::max(range.first, 0);
             group <= std::min(range.last, plan_.max_parallelism() - 1); ++group) {
          ++owners[static_cast<size_t>(group)];
        }
        GiveToOwners(range, op);
      }
    }
    if (!is_keyed) return Ok();
    for (size_t group = 0; group < owners.size(); ++group) {
      if (owners[group] == 1) continue;
      return InternalError(
          "checkpoint {}: {} subtasks of operator '{}' own key group {} instead of "
          "one",
          manifest_.checkpoint_id(), owners[group], id, group);
    }
    return Ok();
  }

  void GiveToOwners(const KeyGroupRange& range, const v1::OperatorSnapshot& op) {
    for (size_t i = 0; i < restores_.size(); ++i) {
      const KeyGroupRange own = RangeOfSubtask(SubtaskIndex{static_cast<int32_t>(i)},
                                               plan_.max_parallelism(), vertex_.parallelism());
      if (Overlap(range, own)) *restores_[i].add_operators() = op;
    }
  }

  Status AssignSinks() {
    std::set<std::pair<std::string, int32_t>> writers;
    for (const v1::SubtaskSnapshot* part : parts_) {
      for (const v1::SinkSnapshot& sink : part->sinks()) {
        if (!nodes_.contains(sink.operator_id())) continue;
        if (sink.writer() < 0 || !writers.emplace(sink.operator_id(), sink.writer()).second) {
          return InternalError("checkpoint {}: writer {} of sink '{}' belongs to two subtasks",
                               manifest_.checkpoint_id(), sink.writer(), sink.operator_id());
        }
        *restores_[static_cast<size_t>(sink.writer()) % restores_.size()].add_sinks() = sink;
      }
    }
    return Ok();
  }

  const v1::CheckpointManifest& manifest_;
  const v1::PhysicalPlan& plan_;
  const v1::Vertex& vertex_;
  const v1::RestoreOptions& options_;
  std::set<std::string> nodes_;
  Parts parts_;  // of the vertices that had any of these nodes
  std::vector<v1::SubtaskRestore> restores_;
};

// Splits, operators with their key groups and writers of sinks, by name.
template <typename Part>
std::multiset<std::string> Holdings(const Part& part) {
  std::multiset<std::string> names;
  for (const v1::SplitSnapshot& split : part.splits()) names.insert("split " + split.split_id());
  for (const v1::OperatorSnapshot& op : part.operators()) {
    const KeyGroupRange range = RangeOf(op.keyed_state());
    names.insert(fmt::format("operator {} {} {}", op.operator_id(), range.first, range.last));
  }
  for (const v1::SinkSnapshot& sink : part.sinks()) {
    names.insert(fmt::format("writer {} {}", sink.operator_id(), sink.writer()));
  }
  return names;
}

bool KeepsPlaces(const v1::CheckpointManifest& manifest, const RestoreAssignment& assignment) {
  if (std::cmp_not_equal(manifest.subtasks_size(), assignment.subtasks.size())) return false;
  return std::ranges::all_of(manifest.subtasks(), [&](const v1::SubtaskSnapshot& part) {
    const auto same = assignment.subtasks.find({part.vertex_id(), part.subtask()});
    return same != assignment.subtasks.end() && Holdings(part) == Holdings(same->second);
  });
}

}  // namespace

Result<RestoreAssignment> AssignRestore(const v1::CheckpointManifest& manifest,
                                        const v1::PhysicalPlan& plan,
                                        const v1::RestoreOptions& options) {
  WS_RETURN_IF_ERROR(CheckParts(manifest));
  WS_RETURN_IF_ERROR(CheckPlanFits(manifest, plan, options));
  RestoreAssignment assignment;
  for (const v1::Vertex& vertex : plan.vertices()) {
    VertexRestore restore(manifest, plan, vertex, options);
    if (restore.has_former()) WS_RETURN_IF_ERROR(restore.AssignTo(&assignment));
  }
  assignment.keeps_places = KeepsPlaces(manifest, assignment);
  return assignment;
}

}  // namespace watershed
