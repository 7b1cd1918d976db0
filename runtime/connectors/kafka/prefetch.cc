#include "runtime/connectors/kafka/prefetch.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "runtime/config/units.h"

namespace watershed {
namespace {

constexpr int64_t kKiB = 1 << 10;
constexpr int64_t kMiB = 1 << 20;

// Of one subtask, shared by its partitions.
constexpr int64_t kQueuedBytesTotal = 32 * kMiB;
constexpr int64_t kQueuedBytesMin = 64 * kKiB;
constexpr int64_t kQueuedBytesMax = 8 * kMiB;
constexpr int64_t kFetchBytes = 2 * kMiB;
constexpr int64_t kMaxFetchBytes = 16 * kMiB;
constexpr int64_t kMinFetchBytes = 1 * kMiB;
// Memory for a queued byte, halves: messages of some hundred bytes have a header as large.
constexpr int64_t kMemoryFactorHalves = 5;

constexpr std::string_view kQueueProperty = "queued.max.messages.kbytes";
constexpr int64_t kMaxQueueKbytes = 2'097'151;  // the most that librdkafka takes for it

int64_t MemoryOf(int64_t queued_bytes) { return queued_bytes * kMemoryFactorHalves / 2; }

}  // namespace

Result<KafkaPrefetch> PlanKafkaPrefetch(int64_t partitions, int64_t memory_bytes,
                                        const KafkaSettings& properties) {
  KafkaPrefetch plan;
  const int64_t total = memory_bytes == 0
                            ? kQueuedBytesTotal
                            : std::min(kQueuedBytesTotal, memory_bytes * 2 / kMemoryFactorHalves);
  plan.queued_bytes = std::clamp(total / partitions, kQueuedBytesMin, kQueuedBytesMax);
  std::string_view whose = "each with the least that makes sense";
  if (const auto own = properties.find(std::string(kQueueProperty)); own != properties.end()) {
    int64_t kilobytes = 0;
    const std::string& text = own->second;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), kilobytes);
    // librdkafka itself refuses what is no number, or too large a one.
    if (parsed.ec == std::errc()) {
      plan.queued_bytes = std::clamp<int64_t>(kilobytes, 0, kMaxQueueKbytes) * kKiB;
    }
    whose = "each with properties.queued.max.messages.kbytes";
  }
  plan.memory_bytes = MemoryOf(plan.queued_bytes * partitions);
  if (memory_bytes != 0 && plan.memory_bytes > memory_bytes) {
    return UserError(
        "fetching {} partitions ahead, {} ({}), takes about {} of memory, and a reader has {} "
        "here: "
        "raise taskmanager.memory.process.size or the job's parallelism",
        partitions, whose, FormatSize(plan.queued_bytes), FormatSize(plan.memory_bytes),
        FormatSize(memory_bytes));
  }
  plan.fetch_bytes = std::min(plan.queued_bytes, kFetchBytes);
  plan.max_fetch_bytes =
      memory_bytes == 0 ? kMaxFetchBytes : std::clamp(total / 2, kMinFetchBytes, kMaxFetchBytes);
  return plan;
}

}  // namespace watershed
