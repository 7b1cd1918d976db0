#include "runtime/memory/memory_account.h"

namespace watershed {

std::string_view NameOf(MemoryShare share) {
  switch (share) {
    case MemoryShare::kState:
      return "state";
    case MemoryShare::kSources:
      return "sources";
    case MemoryShare::kNetwork:
      return "network";
    case MemoryShare::kSnapshots:
      return "snapshots";
    case MemoryShare::kSinks:
      return "sinks";
  }
  return "";
}

void MemoryAccount::Usage::Add(MemoryShare share, int64_t bytes) {
  const auto at = static_cast<size_t>(share);
  const int64_t now = used[at].fetch_add(bytes, std::memory_order_relaxed) + bytes;
  int64_t most = peak[at].load(std::memory_order_relaxed);
  while (now > most && !peak[at].compare_exchange_weak(most, now, std::memory_order_relaxed)) {
  }
}

}  // namespace watershed
