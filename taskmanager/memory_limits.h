// How the memory of a TaskManager is shared out. DECISIONS.md, "One memory account".
#pragma once

#include "runtime/config/config.h"
#include "runtime/memory/memory_account.h"
#include "runtime/state/keyed_state.h"
#include "runtime/types/result.h"

namespace watershed {

// Of taskmanager.memory.process.size: first a fixed part and a tenth for the process itself, and a
// part for the tasks of every slot; what is left is dealt out by fixed ratios. An explicit
// taskmanager.memory.managed.size takes the place of the state's part, and the others share the
// rest; without process.size the whole is what the parts make. Too little for the slots is a user
// error that says how much it takes.
Result<MemoryLimits> MemoryLimitsFrom(const Config& config);

// The budget of keyed state within its share.
KeyedStateOptions KeyedStateOptionsFrom(const Config& config, const MemoryLimits& limits);

}  // namespace watershed
