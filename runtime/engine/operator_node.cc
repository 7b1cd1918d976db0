#include "runtime/engine/operator_node.h"

#include "runtime/metrics/names.h"

namespace watershed {

OperatorNode::OperatorNode(std::unique_ptr<Operator> op, OperatorContext context,
                           std::function<bool()> chain_full)
    : operator_(std::move(op)),
      context_(std::move(context)),
      router_(std::move(chain_full), &context_.metrics->counter(metric_names::kOperatorRecordsOut)),
      records_in_(&context_.metrics->counter(metric_names::kOperatorRecordsIn)),
      input_watermark_(&context_.metrics->gauge(metric_names::kOperatorInputWatermarkMs)),
      output_watermark_(&context_.metrics->gauge(metric_names::kOperatorOutputWatermarkMs)) {
  input_watermark_->Set(kMinWatermarkMs);
  output_watermark_->Set(kMinWatermarkMs);
}

void OperatorNode::Router::AddConsumer(std::string_view side, ChainNode* consumer, int input) {
  if (side.empty()) {
    consumers_.push_back({consumer, input});
    return;
  }
  for (Side& known : sides_) {
    if (known.tag != side) continue;
    known.consumers.push_back({consumer, input});
    return;
  }
  sides_.push_back({std::string(side), {{consumer, input}}});
}

Error OperatorNode::LocatedError(Error error) const {
  if (router_.downstream_failed()) return error;
  return std::move(error).Within(
      fmt::format("operator '{}' subtask {}", context_.operator_id, context_.subtask.value));
}

Status OperatorNode::Located(Status status) const {
  if (status) return status;
  return tl::make_unexpected(LocatedError(std::move(status).error()));
}

Status OperatorNode::Open() {
  WS_RETURN_IF_ERROR(Located(operator_->Open(context_)));
  opened_ = true;
  return Ok();
}

Status OperatorNode::Process(int input, const RecordBatch& batch) {
  records_in_->Add(batch.num_rows());
  return Located(operator_->Process(input, batch, router_));
}

Status OperatorNode::Flush() { return Located(operator_->Flush(router_)); }

Result<Progress> OperatorNode::OnWatermark(TimestampMs time_ms) {
  input_watermark_->Set(time_ms);
  Result<Progress> progress = operator_->OnWatermark(time_ms, router_);
  if (!progress) return tl::make_unexpected(LocatedError(std::move(progress).error()));
  if (*progress == Progress::kDone) output_watermark_->Set(time_ms);
  return progress;
}

Result<Progress> OperatorNode::EndOfInput() {
  WS_RETURN_IF_ERROR(Located(operator_->EndOfInput(router_)));
  return Progress::kDone;
}

void OperatorNode::Close() {
  if (opened_) operator_->Close();
  opened_ = false;
}

const OperatorNode::Router::Side* OperatorNode::Router::FindSide(std::string_view tag) const {
  for (const Side& side : sides_) {
    if (side.tag == tag) return &side;
  }
  return nullptr;
}

Status OperatorNode::Router::Route(const std::vector<Consumer>& consumers,
                                   const RecordBatch& batch) {
  for (const Consumer& consumer : consumers) {
    Status status = consumer.node->Process(consumer.input, batch);
    if (!status) {
      downstream_failed_ = true;
      return status;
    }
  }
  return Ok();
}

Status OperatorNode::Router::Emit(RecordBatch batch) {
  if (batch.num_rows() == 0) return Ok();
  records_out_->Add(batch.num_rows());
  return Route(consumers_, batch);
}

Status OperatorNode::Router::EmitSide(std::string_view tag, RecordBatch batch) {
  const Side* side = FindSide(tag);
  if (side == nullptr || batch.num_rows() == 0) return Ok();
  return Route(side->consumers, batch);
}

}  // namespace watershed
