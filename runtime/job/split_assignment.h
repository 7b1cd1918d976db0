// Which subtask reads which split. A pure function, shared by the JobManager and the in-process
// runner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace watershed {

// Round robin in the order given, which must be stable between calls (enumerators sort by topic and
// partition): subtask i reads splits i, i + parallelism, …. With more subtasks than splits the last
// ones get none. `Split` is v1::Split or SourceSplit. Precondition: parallelism >= 1.
template <typename Split>
std::vector<std::vector<Split>> AssignSplits(const std::vector<Split>& splits,
                                             int32_t parallelism) {
  std::vector<std::vector<Split>> assigned(static_cast<size_t>(parallelism));
  for (size_t i = 0; i < splits.size(); ++i) {
    assigned[i % static_cast<size_t>(parallelism)].push_back(splits[i]);
  }
  return assigned;
}

}  // namespace watershed
