#include "taskmanager/network/incoming_frames.h"

#include <optional>
#include <utility>

#include "taskmanager/network/channel_proto.h"

namespace watershed {

std::string IncomingFrames::Receive(v1::Frame& frame,
                                    const std::shared_ptr<CreditWriter>& credits) {
  const uint32_t number = frame.channel_number();
  if (frame.has_open()) {
    if (std::string problem = Open(frame, credits); !problem.empty()) return problem;
  }
  const auto it = channels_.find(number);
  if (it == channels_.end()) return fmt::format("channel {} has not been opened", number);
  ReceivingChannel* channel = it->second.get();
  if (channel == nullptr) return "";  // refused when it was opened
  if (frame.element_case() == v1::Frame::kBatch) {
    context_->bytes_in->AddShared(static_cast<int64_t>(frame.batch().size()));
    context_->frames_in->AddShared(1);
    channel->ReceiveRows(std::move(*frame.mutable_batch()));
  } else if (frame.element_case() == v1::Frame::kClosed) {
    channels_.erase(it);  // its task failed or was cancelled, and the JobManager knows
  } else if (std::optional<StreamElement> element = ControlElement(frame)) {
    const bool is_end = std::holds_alternative<EndOfInput>(*element);
    channel->ReceiveControl(std::move(*element));
    if (is_end) channels_.erase(it);
  }
  return "";
}

std::string IncomingFrames::Open(const v1::Frame& frame,
                                 const std::shared_ptr<CreditWriter>& credits) {
  const uint32_t number = frame.channel_number();
  const ChannelKey key = FromProto(frame.open());
  std::shared_ptr<ReceivingChannel> channel = receivers_->FindOrMake(key);
  if (channel == nullptr) {
    credits->TellClosed(number, "the attempt has ended");
  } else if (!channel->Attach(credits, number)) {
    return fmt::format("a second sender for {}", DescribeChannel(key));
  }
  if (!channels_.emplace(number, std::move(channel)).second) {
    return fmt::format("channel {} is opened twice", number);
  }
  return "";
}

void IncomingFrames::Break(const std::string& why) {
  const Error error{ErrorDomain::kExternal, true,
                    fmt::format("the connection from TaskManager {} to TaskManager {} broke{}{}",
                                peer_, context_->task_manager_id, why.empty() ? "" : ": ", why)};
  for (const auto& [number, channel] : channels_) {
    if (channel != nullptr) channel->ReceiveBroken(error);
  }
  channels_.clear();
  receivers_.reset();
}

}  // namespace watershed
