#include "runtime/engine/operator_chain.h"

#include <algorithm>
#include <utility>

namespace watershed {

ChainNode* OperatorChain::Add(std::unique_ptr<ChainNode> node, bool is_head,
                              std::string_view side_output) {
  nodes_.push_back(std::move(node));
  if (is_head) heads_.push_back({nodes_.back().get(), std::string(side_output)});
  return nodes_.back().get();
}

Result<Progress> OperatorChain::Open() {
  opened_.resize(nodes_.size());
  Progress all = Progress::kDone;
  for (size_t i = nodes_.size(); i-- > 0;) {
    if (opened_[i]) continue;
    WS_ASSIGN_OR_RETURN(const Progress progress, nodes_[i]->Open());
    opened_[i] = progress == Progress::kDone;
    if (!opened_[i]) all = Progress::kYield;
  }
  return all;
}

Status OperatorChain::Process(int input, const RecordBatch& batch, std::string_view side_output) {
  for (const Head& head : heads_) {
    if (head.side_output == side_output) WS_RETURN_IF_ERROR(head.node->Process(input, batch));
  }
  return Ok();
}

Result<Progress> OperatorChain::HandOn(const StreamElement& event) {
  if (const auto* barrier = std::get_if<Barrier>(&event)) {
    WS_RETURN_IF_ERROR(OnBarrier(*barrier));
    return Progress::kDone;
  }
  event_ = event;
  next_node_ = 0;
  node_flushed_ = false;
  return Continue();
}

Result<Progress> OperatorChain::Continue() {
  for (; next_node_ < nodes_.size(); ++next_node_) {
    WS_ASSIGN_OR_RETURN(const Progress progress, Visit(*nodes_[next_node_], *event_));
    if (progress == Progress::kYield) return Progress::kYield;
    node_flushed_ = false;
  }
  event_.reset();
  return Progress::kDone;
}

Result<Progress> OperatorChain::Visit(ChainNode& node, const StreamElement& event) {
  if (const auto* status = std::get_if<WatermarkStatus>(&event)) {
    WS_RETURN_IF_ERROR(node.OnWatermarkStatus(*status));
    return Progress::kDone;
  }
  // Parents have handed on all that the event makes them emit, so this is all that precedes it
  // here.
  if (!node_flushed_) {
    WS_RETURN_IF_ERROR(node.Flush());
    node_flushed_ = true;
  }
  if (const auto* watermark = std::get_if<Watermark>(&event)) {
    return node.OnWatermark(watermark->time_ms);
  }
  return node.EndOfInput();
}

Status OperatorChain::OnBarrier(const Barrier& barrier) {
  for (const auto& node : nodes_) WS_RETURN_IF_ERROR(node->Flush());
  if (snapshot_hook_) WS_RETURN_IF_ERROR(snapshot_hook_(barrier));
  for (const auto& node : nodes_) WS_RETURN_IF_ERROR(node->OnBarrier(barrier));
  return Ok();
}

Status OperatorChain::Snapshot(const std::shared_ptr<PendingSnapshot>& snapshot) {
  for (const auto& node : nodes_) WS_RETURN_IF_ERROR(node->Snapshot(snapshot));
  return Ok();
}

bool OperatorChain::WriteFrozen(int64_t max_bytes) {
  bool more = false;
  for (const auto& node : nodes_) more |= node->WriteFrozen(max_bytes);
  return more;
}

Status OperatorChain::OnCheckpointComplete(CheckpointId checkpoint) {
  for (const auto& node : nodes_) WS_RETURN_IF_ERROR(node->OnCheckpointComplete(checkpoint));
  return Ok();
}

void OperatorChain::OnCheckpointAborted() {
  for (const auto& node : nodes_) node->OnCheckpointAborted();
}

bool OperatorChain::Committed(CheckpointId checkpoint) const {
  return std::all_of(nodes_.begin(), nodes_.end(),
                     [&](const auto& node) { return node->Committed(checkpoint); });
}

bool OperatorChain::full() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const auto& node) { return node->full(); });
}

Status OperatorChain::ResumeOutput() {
  for (const auto& node : nodes_) WS_RETURN_IF_ERROR(node->ResumeOutput());
  return Ok();
}

std::string OperatorChain::degraded_reason() const {
  for (const auto& node : nodes_) {
    if (std::string reason = node->degraded_reason(); !reason.empty()) return reason;
  }
  return {};
}

void OperatorChain::Close() {
  for (const auto& node : nodes_) node->Close();
  nodes_.clear();
  heads_.clear();
}

}  // namespace watershed
