#include "taskmanager/network/channel_proto.h"

#include <fmt/format.h>

namespace watershed {

v1::ChannelId ToProto(const ChannelKey& key) {
  v1::ChannelId id;
  id.set_job_id(key.job.hex);
  id.set_attempt(key.attempt.value);
  id.set_edge(key.edge);
  id.set_upstream_subtask(key.upstream.value);
  id.set_downstream_subtask(key.downstream.value);
  return id;
}

ChannelKey FromProto(const v1::ChannelId& id) {
  return {JobId{id.job_id()}, Attempt{id.attempt()}, id.edge(), SubtaskIndex{id.upstream_subtask()},
          SubtaskIndex{id.downstream_subtask()}};
}

void SetControlElement(const StreamElement& element, v1::Frame& frame) {
  if (const auto* watermark = std::get_if<Watermark>(&element)) {
    frame.set_watermark_ms(watermark->time_ms);
  } else if (const auto* status = std::get_if<WatermarkStatus>(&element)) {
    frame.set_idle(status->idle);
  } else if (const auto* barrier = std::get_if<Barrier>(&element)) {
    v1::BarrierElement* out = frame.mutable_barrier();
    out->set_checkpoint_id(barrier->checkpoint_id.value);
    out->set_trigger_time_ms(barrier->trigger_time_ms);
    out->set_is_savepoint(barrier->is_savepoint);
  } else {
    frame.set_end_of_input(true);
  }
}

std::optional<StreamElement> ControlElement(const v1::Frame& frame) {
  switch (frame.element_case()) {
    case v1::Frame::kWatermarkMs:
      return Watermark{frame.watermark_ms()};
    case v1::Frame::kIdle:
      return WatermarkStatus{frame.idle()};
    case v1::Frame::kBarrier:
      return Barrier{CheckpointId{frame.barrier().checkpoint_id()},
                     frame.barrier().trigger_time_ms(), frame.barrier().is_savepoint()};
    case v1::Frame::kEndOfInput:
      return EndOfInput{};
    default:
      return std::nullopt;
  }
}

std::string DescribeChannel(const ChannelKey& key) {
  return fmt::format("edge {}, subtask {} to {} of job {} attempt {}", key.edge, key.upstream.value,
                     key.downstream.value, key.job.hex, key.attempt.value);
}

}  // namespace watershed
