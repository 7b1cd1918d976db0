#include "runtime/formats/timestamp_codec.h"

#include "watershed/v1/types.pb.h"

namespace watershed {

std::optional<TimestampMs> EpochTime::ToMs(int64_t value) const {
  if (units_per_second > 1000) {
    const int64_t units = units_per_second / 1000;
    return value / units - (value % units < 0 ? 1 : 0);
  }
  int64_t ms = 0;
  if (__builtin_mul_overflow(value, 1000 / units_per_second, &ms)) return std::nullopt;
  return ms;
}

std::optional<int64_t> EpochTime::FromMs(TimestampMs time_ms) const {
  if (units_per_second < 1000) {
    const int64_t ms = 1000 / units_per_second;
    return time_ms / ms - (time_ms % ms < 0 ? 1 : 0);
  }
  int64_t value = 0;
  if (__builtin_mul_overflow(time_ms, units_per_second / 1000, &value)) return std::nullopt;
  return value;
}

std::string EpochTime::text() const {
  if (units_per_second == 1) return "epoch seconds";
  return units_per_second == 1000 ? "epoch milliseconds" : "epoch microseconds";
}

Result<TimestampCodec> MakeTimestampCodec(const v1::TimestampFormat& format) {
  if (format.kind_case() == v1::TimestampFormat::kPattern) {
    return TimestampPattern::Compile(format.pattern());
  }
  switch (format.epoch()) {
    case v1::TimestampFormat::SECONDS:
      return EpochTime{1};
    case v1::TimestampFormat::MILLISECONDS:
      return EpochTime{1000};
    case v1::TimestampFormat::MICROSECONDS:
      return EpochTime{1'000'000};
    default:
      return InternalError("a timestamp's format has neither a pattern nor an epoch unit");
  }
}

}  // namespace watershed
