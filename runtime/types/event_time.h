// Event time is int64 milliseconds since the Unix epoch, UTC, as in Flink's TIMESTAMP(3).
#pragma once

#include <cstdint>
#include <limits>

namespace watershed {

using TimestampMs = int64_t;

// No watermark has been seen yet.
inline constexpr TimestampMs kMinWatermarkMs = std::numeric_limits<int64_t>::min();
// End of a bounded input: fires every window.
inline constexpr TimestampMs kMaxWatermarkMs = std::numeric_limits<int64_t>::max();

}  // namespace watershed
