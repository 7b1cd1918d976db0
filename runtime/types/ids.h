// Strong types for ids and epochs: mixing two of them up does not compile.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace watershed {

// Tag makes Int<A> and Int<B> different types. Formats as its number.
template <typename Tag, typename Rep = int64_t>
struct StrongInt {
  Rep value = 0;
  constexpr auto operator<=>(const StrongInt&) const = default;
};

using SubtaskIndex = StrongInt<struct SubtaskIndexTag, int32_t>;
using Attempt = StrongInt<struct AttemptTag, int32_t>;  // of a job's region: rises at every restart
using LeaderEpoch = StrongInt<struct LeaderEpochTag>;   // rises with every JobManager leadership
using CheckpointId = StrongInt<struct CheckpointIdTag>;  // also the epoch a sink commits
using KeyGroup = StrongInt<struct KeyGroupTag, int32_t>;

// 32 lowercase hex digits, as Flink writes job and vertex ids.
struct JobId {
  std::string hex;
  auto operator<=>(const JobId&) const = default;
};

struct VertexId {
  std::string hex;
  auto operator<=>(const VertexId&) const = default;
};

}  // namespace watershed

template <typename Tag, typename Rep>
struct std::hash<watershed::StrongInt<Tag, Rep>> {
  size_t operator()(watershed::StrongInt<Tag, Rep> id) const noexcept {
    return std::hash<Rep>{}(id.value);
  }
};
