// Cases with keys in every key group, so that a restore at another parallelism has state to move.
// Too long for a file; their rows are worked out here, by nothing of the engine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/golden/golden_case.h"

namespace watershed::golden {

inline constexpr int kManyKeys = 512;
std::string ManyKey(int key);

// Sessions over four partitions whose rows of one key meet in any order.
GoldenCase ManyKeysInSessions();
// Tumbling windows over one partition; some rows come for a window that has fired.
GoldenCase ManyKeysWithLateRows();

}  // namespace watershed::golden
