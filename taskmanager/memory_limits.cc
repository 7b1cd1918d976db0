#include "taskmanager/memory_limits.h"

#include <algorithm>
#include <utility>

#include "runtime/config/units.h"

namespace watershed {
namespace {

constexpr int64_t kMiB = 1 << 20;
// Code, stacks, gRPC: measured, an idle TaskManager has 31 MB resident.
constexpr int64_t kFixedBytes = 48 * kMiB;
constexpr int64_t kTaskBytesPerSlot = 12 * kMiB;
// Below this a slot would do little but evict and wait.
constexpr int64_t kMinSharedBytesPerSlot = 8 * kMiB;
constexpr int64_t kDefaultBytes = 400 * kMiB;
constexpr int64_t kDefaultSlots = 4;  // that the default is enough for
constexpr int64_t kDefaultBytesPerSlot = 64 * kMiB;

constexpr int64_t kStatePercent = 50;
constexpr std::pair<MemoryShare, int64_t> kOtherPercents[] = {
    {MemoryShare::kSources, 16},
    {MemoryShare::kNetwork, 14},
    {MemoryShare::kSnapshots, 10},
    {MemoryShare::kSinks, 10},
};

int64_t TaskBytes(int64_t slots) { return slots * kTaskBytesPerSlot; }
// For everything but state: half of what is left beside the process and its tasks.
int64_t SharedBytes(int64_t process_bytes, int64_t slots) {
  return process_bytes - process_bytes / 10 - kFixedBytes - TaskBytes(slots);
}
// The least whole for which SharedBytes is `shared_bytes`.
int64_t ProcessBytes(int64_t shared_bytes, int64_t slots) {
  const int64_t without_tenth = shared_bytes + kFixedBytes + TaskBytes(slots);
  return (without_tenth * 10 + 8) / 9;
}
int64_t DefaultProcessBytes(int64_t slots) {
  return kDefaultBytes + std::max<int64_t>(0, slots - kDefaultSlots) * kDefaultBytesPerSlot;
}

int64_t& Of(MemoryLimits& limits, MemoryShare share) {
  return limits.shares_bytes[static_cast<size_t>(share)];
}

}  // namespace

Result<MemoryLimits> MemoryLimitsFrom(const Config& config) {
  const int64_t slots = config.Get(options::kTaskManagerSlots);
  const bool has_process = config.IsSet(options::kProcessMemory.definition.key);
  const bool has_managed = config.IsSet(options::kManagedMemory.definition.key);
  int64_t process = has_process ? config.Get(options::kProcessMemory) : DefaultProcessBytes(slots);
  int64_t shared = SharedBytes(process, slots);
  int64_t state = has_managed ? config.Get(options::kManagedMemory) : shared * kStatePercent / 100;
  int64_t others = shared - shared * kStatePercent / 100;
  if (has_managed && has_process) others = shared - state;
  if (has_managed && !has_process) process = ProcessBytes(state + others, slots);

  const int64_t least_others = slots * kMinSharedBytesPerSlot * (100 - kStatePercent) / 100;
  const int64_t least_state = slots * kMinSharedBytesPerSlot - least_others;
  if (others < least_others || (!has_managed && state < least_state)) {
    const int64_t needed = (has_managed ? state : least_state) + least_others;
    return UserError(
        "taskmanager.memory.process.size is {}, but {} slots{} need at least {}: raise it, or "
        "lower "
        "taskmanager.numberOfTaskSlots{}",
        FormatSize(process), slots,
        has_managed ? fmt::format(" and taskmanager.memory.managed.size {}", FormatSize(state))
                    : "",
        FormatSize((ProcessBytes(needed, slots) + kMiB - 1) / kMiB * kMiB),
        has_managed ? " or taskmanager.memory.managed.size" : "");
  }
  MemoryLimits limits;
  limits.slots = static_cast<int32_t>(slots);
  limits.process_bytes = process;
  limits.fixed_bytes = kFixedBytes + process / 10;
  limits.task_bytes = TaskBytes(slots);
  Of(limits, MemoryShare::kState) = state;
  for (const auto& [share, percent] : kOtherPercents) {
    Of(limits, share) = others * percent / (100 - kStatePercent);
  }
  return limits;
}

KeyedStateOptions KeyedStateOptionsFrom(const Config& config, const MemoryLimits& limits) {
  KeyedStateOptions state;
  const auto backend = StateBackendKindFromName(config.Get(options::kStateBackend));
  if (backend) state.backend = *backend;
  const int64_t managed = limits.of(MemoryShare::kState);
  state.write_buffer_bytes = managed / 7;
  state.block_cache_bytes = managed / 7;
  state.cache_bytes = managed - state.write_buffer_bytes - state.block_cache_bytes;
  state.slots = limits.slots;
  return state;
}

}  // namespace watershed
