// Rows of the backend. All keys begin with the key group, so that state can be moved by range:
//   key group (2 bytes, big-endian) | 0x00 | key              -> timer (8) | value
//   0xffff | 0x01 | number (8, big-endian)                    -> a chunk of the timer log
// The timer in a value row is the key's (kNoTimer: there is none). Once that time has been fired
// the row is dead, whether or not it was deleted.
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

// They append to `out`.
void AppendValueRowKey(KeyGroup group, std::string_view key, std::string& out);
void AppendTimerChunkRowKey(uint64_t number, std::string& out);
void AppendValueRow(TimestampMs timer_ms, std::string_view value, std::string& out);

struct ValueRow {
  TimestampMs timer_ms = 0;
  std::string_view value;
};
Result<ValueRow> ParseValueRow(std::string_view row);
// Whether this is the key of a value row; if so, its group.
bool IsValueRowKey(std::string_view row_key);
KeyGroup GroupOfRowKey(std::string_view row_key);
// Whether this is a value row that names a timer up to `fired_ms`.
bool IsDeadRow(std::string_view row_key, std::string_view row, TimestampMs fired_ms);

// Makes batches of keys that are encoded already.
void ClearKeys(KeyBatch& keys);
void AppendKey(std::string_view key, KeyBatch& keys);

}  // namespace watershed
