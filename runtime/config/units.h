// Durations and sizes as Flink writes them: "3min", "10 s", "64mb". A bare number is an error:
// which unit was meant is what people get wrong.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/types/result.h"

namespace watershed {

// Units: ns, us, ms, s (sec, second, seconds), min (m, minute, minutes), h (hour, hours), d (day,
// days). At most 292 years; in milliseconds only whole ones.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);
Result<std::chrono::nanoseconds> ParseDurationNs(std::string_view text);
// Units: b, kb, mb, gb, tb (k, kib, …): powers of 1024, as in Flink.
Result<int64_t> ParseSize(std::string_view text);

// The shortest exact form: 180000 ms -> "3min".
std::string FormatDuration(std::chrono::milliseconds duration);
std::string FormatSize(int64_t bytes);

}  // namespace watershed
