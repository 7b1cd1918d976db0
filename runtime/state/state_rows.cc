#include "runtime/state/state_rows.h"

#include <bit>
#include <cstring>

namespace watershed {
namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;
static_assert(std::endian::native == std::endian::little);

void AppendPrefix(KeyGroup group, char table, std::string& out) {
  out.push_back(static_cast<char>(group.value >> 8));
  out.push_back(static_cast<char>(group.value));
  out.push_back(table);
}

}  // namespace

void AppendValueRowKey(KeyGroup group, std::string_view key, std::string& out) {
  AppendPrefix(group, 0, out);
  out.append(key);
}

void AppendTimerRowKey(KeyGroup group, TimestampMs time_ms, std::string_view key,
                       std::string& out) {
  AppendPrefix(group, 1, out);
  const uint64_t sortable = __builtin_bswap64(static_cast<uint64_t>(time_ms) ^ kSignBit);
  out.append(reinterpret_cast<const char*>(&sortable), sizeof sortable);
  out.append(key);
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

TimestampMs TimeOfTimerRowKey(std::string_view row_key) {
  uint64_t sortable = 0;
  std::memcpy(&sortable, row_key.data() + kValueRowPrefixBytes, sizeof sortable);
  return static_cast<TimestampMs>(__builtin_bswap64(sortable) ^ kSignBit);
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
