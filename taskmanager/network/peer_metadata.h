// How the two ends of a data stream know each other.
#pragma once

namespace watershed {

// gRPC metadata: the id of the TaskManager that opened the stream.
inline constexpr char kPeerMetadata[] = "watershed-task-manager";

}  // namespace watershed
