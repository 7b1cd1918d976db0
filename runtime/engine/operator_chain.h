// The nodes of a vertex that run in one task, in topological order. Rows enter at the heads and are
// passed from node to node by direct calls. Watermarks, barriers and the end of input visit the
// nodes one after the other; a node that fires much yields, and the visit goes on where it stopped.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/engine/chain_node.h"

namespace watershed {

// One thread.
class OperatorChain {
 public:
  // The seam for checkpoints: called at a barrier when every node has been flushed and none has
  // handed the barrier on yet, so that what it snapshots is exactly the epoch.
  using SnapshotHook = std::function<Status(const Barrier&)>;

  OperatorChain() = default;
  ~OperatorChain() { Close(); }
  OperatorChain(const OperatorChain&) = delete;
  OperatorChain& operator=(const OperatorChain&) = delete;

  // Nodes are added parents first. `is_head`: rows that come into the chain go to it: those of the
  // main output of what is before the chain, or of the side output named.
  ChainNode* Add(std::unique_ptr<ChainNode> node, bool is_head, std::string_view side_output = {});
  void set_snapshot_hook(SnapshotHook hook) { snapshot_hook_ = std::move(hook); }

  // Opens what is not open yet, ends of the chain first. kYield: some node is still at it
  // elsewhere; call again once mail has come. Call again after a retryable error too.
  Result<Progress> Open();
  // Precondition of Process and HandOn: not visiting().
  Status Process(int input, const RecordBatch& batch, std::string_view side_output = {});
  // Begins the visit of an element that is not rows. kYield: call Continue when there is room and
  // the mailbox has run.
  Result<Progress> HandOn(const StreamElement& event);
  Result<Progress> Continue();
  bool visiting() const { return event_.has_value(); }

  // Adds what every node holds to the snapshot: for the hook, and after the end of input.
  Status Snapshot(const std::shared_ptr<PendingSnapshot>& snapshot);
  // As those of ChainNode, for all nodes.
  bool WriteFrozen(int64_t max_bytes);
  Status OnCheckpointComplete(CheckpointId checkpoint);
  void OnCheckpointAborted();
  bool Committed(CheckpointId checkpoint) const;

  // Some node of the chain has no room: feed it nothing, neither rows nor Continue.
  bool full() const;
  Status ResumeOutput();
  std::string degraded_reason() const;
  void Close();

 private:
  Result<Progress> Visit(ChainNode& node, const StreamElement& event);
  Status OnBarrier(const Barrier& barrier);

  std::vector<std::unique_ptr<ChainNode>> nodes_;
  struct Head {
    ChainNode* node;
    std::string side_output;
  };
  std::vector<Head> heads_;
  SnapshotHook snapshot_hook_;
  std::vector<bool> opened_;  // by node

  std::optional<StreamElement> event_;  // being visited
  size_t next_node_ = 0;
  bool node_flushed_ = false;
};

}  // namespace watershed
