// What all streams of one TaskManager share.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/engine/task.h"
#include "runtime/memory/memory_account.h"
#include "runtime/metrics/metrics.h"

namespace watershed {

enum class ChannelEnd : uint8_t { kSender, kReceiver };

// A channel can no longer deliver: the task at its local end has to fail. Called from any thread
// and without locks held; must return at once.
using ChannelFailureHandler =
    std::function<void(const ChannelKey& key, ChannelEnd local_end, const Error& error)>;

struct NetworkContext {
  std::string task_manager_id;
  int64_t channel_capacity_bytes = 1 << 20;  // the most rows in flight on one channel
  MemoryAccount* memory = nullptr;           // channels keep to its network share; may be null
  ChannelFailureHandler on_failure;
  // Payload bytes and rows' frames between TaskManagers, both directions seen from here.
  Counter* bytes_out = nullptr;
  Counter* bytes_in = nullptr;
  Counter* frames_out = nullptr;
  Counter* frames_in = nullptr;
};

}  // namespace watershed
