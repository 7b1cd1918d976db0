// Rows of the backend. All keys begin with the key group, so that state can be moved by range:
//   key group (2 bytes, big-endian) | 0x00 | key              -> timer (8) | value
//   key group (2 bytes, big-endian) | 0x01 | time (8) | key   -> nothing
// A time is big-endian with its sign bit turned over, so that bytes sort as times do. The timer in
// a value row names the key's timer row (kNoTimer: there is none).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/types/event_time.h"
#include "runtime/types/ids.h"
#include "runtime/types/key_encoding.h"
#include "runtime/types/result.h"

namespace watershed {

inline constexpr size_t kValueRowPrefixBytes = 3;
inline constexpr size_t kTimerRowPrefixBytes = 11;

// They append to `out`.
void AppendValueRowKey(KeyGroup group, std::string_view key, std::string& out);
void AppendTimerRowKey(KeyGroup group, TimestampMs time_ms, std::string_view key, std::string& out);
void AppendValueRow(TimestampMs timer_ms, std::string_view value, std::string& out);

struct ValueRow {
  TimestampMs timer_ms = 0;
  std::string_view value;
};
Result<ValueRow> ParseValueRow(std::string_view row);
TimestampMs TimeOfTimerRowKey(std::string_view row_key);

// Makes batches of keys that are encoded already.
void ClearKeys(KeyBatch& keys);
void AppendKey(std::string_view key, KeyBatch& keys);

}  // namespace watershed
