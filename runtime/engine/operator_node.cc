#include "runtime/engine/operator_node.h"

#include "runtime/checkpoint/manifest.h"
#include "runtime/metrics/names.h"
#include "runtime/types/kill_point.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {
namespace {

class SectionWriter final : public SnapshotWriter {
 public:
  SectionWriter(PendingSnapshot& snapshot, v1::OperatorSnapshot& out)
      : snapshot_(snapshot), out_(out) {}
  Status Put(std::string_view section, std::string_view bytes) override {
    (*out_.mutable_sections())[std::string(section)] = std::string(bytes);
    snapshot_.CountBytes(static_cast<int64_t>(bytes.size()));
    return Ok();
  }

 private:
  PendingSnapshot& snapshot_;
  v1::OperatorSnapshot& out_;
};

// Of every former subtask that this one takes over.
class FormerSections final : public SnapshotReader {
 public:
  void Add(const v1::OperatorSnapshot& part) { parts_.push_back(&part); }
  std::vector<std::string> Get(std::string_view section) const override {
    std::vector<std::string> found;
    for (const v1::OperatorSnapshot* part : parts_) {
      const auto at = part->sections().find(std::string(section));
      if (at != part->sections().end()) found.push_back(at->second);
    }
    return found;
  }

 private:
  std::vector<const v1::OperatorSnapshot*> parts_;
};

}  // namespace

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

Result<Progress> OperatorNode::Open() {
  WS_RETURN_IF_ERROR(Located(operator_->Open(context_)));
  opened_ = true;
  if (context_.snapshots != nullptr) keyed_state_ = operator_->keyed_state();
  if (Status restored = restore_ ? Restore() : Ok(); !restored) {
    Error error = std::move(restored).error();
    error.retryable = false;  // its state may be half full: the task begins anew
    return tl::make_unexpected(LocatedError(std::move(error)));
  }
  return Progress::kDone;
}

Status OperatorNode::Restore() {
  Pass(KillPoint::kStateRestores);
  FormerSections sections;
  std::vector<KeyedStateFiles> files;
  for (const v1::OperatorSnapshot& part : restore_->operators()) {
    if (part.operator_id() != context_.operator_id) continue;
    sections.Add(part);
    KeyedStateFiles& former = files.emplace_back();
    for (const v1::FileRef& file : part.keyed_state().files()) {
      former.files.push_back(FromProto(file));
    }
  }
  if (KeyedState* const state = operator_->keyed_state(); state != nullptr) {
    WS_RETURN_IF_ERROR(state->Restore(files, *restore_storage_));
  }
  return operator_->Restore(sections);
}

Status OperatorNode::Snapshot(const std::shared_ptr<PendingSnapshot>& snapshot) {
  v1::OperatorSnapshot* const out = snapshot->message().add_operators();
  out->set_operator_id(context_.operator_id);
  SectionWriter writer(*snapshot, *out);
  WS_RETURN_IF_ERROR(Located(operator_->Snapshot(writer)));
  if (keyed_state_ == nullptr) {
    if (out->sections().empty()) snapshot->message().mutable_operators()->RemoveLast();
    return Ok();
  }
  out->mutable_keyed_state()->set_first_key_group(context_.key_groups.first);
  out->mutable_keyed_state()->set_last_key_group(context_.key_groups.last);
  snapshot->BeginPiece();
  keyed_state_->Freeze([snapshot, out](const Result<KeyedStateFiles>& written) {
    if (!written) {
      snapshot->EndPiece(tl::make_unexpected(written.error()));
      return Ok();
    }
    for (const StoredFile& file : written->files) {
      ToProto(file, out->mutable_keyed_state()->add_files());
      snapshot->CountBytes(file.size_bytes);
    }
    snapshot->CountWritten(written->written_bytes);
    snapshot->EndPiece(Ok());
    return Ok();
  });
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
  keyed_state_ = nullptr;
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
  records_out_->Add(batch.num_rows());
  return Route(side->consumers, batch);
}

}  // namespace watershed
