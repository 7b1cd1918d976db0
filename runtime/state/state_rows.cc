#include "runtime/state/state_rows.h"

#include <bit>
#include <cstring>

#include "runtime/state/state_entry.h"

namespace watershed {
namespace {

constexpr char kValueTable = 0;
constexpr char kTimerTable = 1;
constexpr KeyGroup kTimerGroup{0xffff};  // no key is in it
static_assert(std::endian::native == std::endian::little);

void AppendPrefix(KeyGroup group, char table, std::string& out) {
  out.push_back(static_cast<char>(group.value >> 8));
  out.push_back(static_cast<char>(group.value));
  out.push_back(table);
}

}  // namespace

void AppendValueRowKey(KeyGroup group, std::string_view key, std::string& out) {
  AppendPrefix(group, kValueTable, out);
  out.append(key);
}

void AppendTimerChunkRowKey(uint64_t number, std::string& out) {
  AppendPrefix(kTimerGroup, kTimerTable, out);
  const uint64_t sortable = __builtin_bswap64(number);
  out.append(reinterpret_cast<const char*>(&sortable), sizeof sortable);
}

void AppendValueRow(TimestampMs timer_ms, std::string_view value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&timer_ms), sizeof timer_ms);
  out.append(value);
}

Result<ValueRow> ParseValueRow(std::string_view row) {
  ValueRow parsed;
  if (row.size() < sizeof parsed.timer_ms) {
    return InternalError("keyed state: a value row of {} bytes", row.size());
  }
  std::memcpy(&parsed.timer_ms, row.data(), sizeof parsed.timer_ms);
  parsed.value = row.substr(sizeof parsed.timer_ms);
  return parsed;
}

bool IsValueRowKey(std::string_view row_key) {
  return row_key.size() >= kValueRowPrefixBytes && row_key[kValueRowPrefixBytes - 1] == kValueTable;
}

KeyGroup GroupOfRowKey(std::string_view row_key) {
  return {static_cast<uint8_t>(row_key[0]) << 8 | static_cast<uint8_t>(row_key[1])};
}

bool IsDeadRow(std::string_view row_key, std::string_view row, TimestampMs fired_ms) {
  if (!IsValueRowKey(row_key)) return false;
  TimestampMs timer_ms = kNoTimer;
  if (row.size() >= sizeof timer_ms) std::memcpy(&timer_ms, row.data(), sizeof timer_ms);
  return timer_ms <= fired_ms && timer_ms != kNoTimer;
}

void ClearKeys(KeyBatch& keys) {
  keys.bytes.clear();
  keys.offsets.clear();
  keys.offsets.push_back(0);
  keys.hashes.clear();
}

void AppendKey(std::string_view key, KeyBatch& keys) {
  keys.bytes.append(key.data(), key.size());
  keys.offsets.push_back(static_cast<uint32_t>(keys.bytes.size()));
  keys.hashes.push_back(HashKey(key));
}

}  // namespace watershed
