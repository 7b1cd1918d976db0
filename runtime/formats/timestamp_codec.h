// How one column's timestamps are written in a payload: text by a pattern, or a number.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "runtime/formats/timestamp_pattern.h"

namespace watershed {

namespace v1 {
class TimestampFormat;
}

// A number of units since the Unix epoch.
struct EpochTime {
  int64_t units_per_second = 1000;

  // Finer than a millisecond is cut off (towards minus infinity); nullopt if it overflows.
  std::optional<TimestampMs> ToMs(int64_t value) const;
  // nullopt if it overflows.
  std::optional<int64_t> FromMs(TimestampMs time_ms) const;
  // "epoch seconds", for messages.
  std::string text() const;
};

using TimestampCodec = std::variant<EpochTime, TimestampPattern>;

Result<TimestampCodec> MakeTimestampCodec(const v1::TimestampFormat& format);

}  // namespace watershed
