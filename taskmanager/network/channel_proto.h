// Channel keys and the elements without rows, on the wire and in the engine.
#pragma once

#include <optional>
#include <string>

#include "runtime/engine/task.h"
#include "runtime/types/stream_element.h"
#include "watershed/v1/data.pb.h"

namespace watershed {

v1::ChannelId ToProto(const ChannelKey& key);
ChannelKey FromProto(const v1::ChannelId& id);

// Precondition: `element` is not a RecordBatch (those are frames of exchange/frame_codec.h).
void SetControlElement(const StreamElement& element, v1::Frame& frame);
// nullopt for frames of rows, of a closing sender, and those that only open a channel.
std::optional<StreamElement> ControlElement(const v1::Frame& frame);

// "edge 2, subtask 0 to 3 of job 1f… attempt 0"
std::string DescribeChannel(const ChannelKey& key);

}  // namespace watershed
