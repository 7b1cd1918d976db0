// What one seed means: a job, its input, what must come of it, a cluster, and what goes wrong when.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tests/sim/cluster.h"
#include "tests/sim/outside.h"

namespace watershed::sim {

enum class FaultKind : uint8_t {
  kKillTaskManager,
  kKillJobManager,
  kLoseJobManager,     // it is cut off and frozen, another one leads, then it goes on
  kFreezeTaskManager,  // for a while; then it goes on with what it had been doing
  kStallTaskManager,   // the same, for longer than the heartbeat timeout
  kStallJobManager,    // nobody leads meanwhile
  kCutStreams,         // between two TaskManagers
  kCutControl,         // between JobManager and a TaskManager
  kSilence,            // the same, but nobody is told, and what was sent comes later
  kStorageErrors,      // for a while: failed, full, lost answers
  kLogErrors,          // of the JobManager's log
  kSlowStorage,        // for a while
  kTargetErrors,       // of the sinks' target, for a while
  kSourceErrors,       // tasks fail by themselves
  kDamage,             // of one manifest, as it is written
  kDamageFile,         // of a file of state or a segment, as it is written
  kDamageStored,       // of what a complete checkpoint needs; then it is needed
  kStepClock,          // a wall clock is set, forwards or backwards
  kPowerLoss,          // of all machines, and of what is not on their disks
};
std::string NameOf(FaultKind kind);
bool Damages(FaultKind kind);  // what checkpoints consist of

struct Fault {
  FaultKind kind;
  nanoseconds at{0};  // from the job's submission, or from the release of the last rows
  bool after_release = false;
  int after_checkpoints = 0;  // `at` begins when so many are complete
  // `at` begins with the next attempt that is deployed; without one nothing happens.
  bool at_deployment = false;
  // And then it waits for the next call that a sink of its TaskManager makes; the same.
  bool in_sink_call = false;
  int target = 0;  // which TaskManager, or machine
  int other = 0;   // and which other one
  nanoseconds duration{0};
  milliseconds step{0};  // of the clock
};

// The results of a window: key, start, end -> rows, sum of values.
struct WindowKey {
  std::string key;
  int64_t start_ms = 0, end_ms = 0;
  auto operator<=>(const WindowKey&) const = default;
};
struct WindowValue {
  int64_t rows = 0, sum = 0;
  auto operator<=>(const WindowValue&) const = default;
};

// What each seed has before it may end.
inline constexpr int kLeastCheckpoints = 3;
inline constexpr int kLeastFaults = 2;

using Splits = std::map<std::string, std::vector<Row>>;

// What one source feeds. Several in a job share nothing: each is a region or more.
struct Pipeline {
  std::string source;
  std::string rows;     // the sink that its rows come to as they are; empty: none
  std::string results;  // and the one of its windows
};

// Of a scenario whose rows are drawn while it runs (watermark_case.h).
struct WatermarkSettings {
  int64_t delay_ms = 0;
  int64_t idle_timeout_ms = 0;  // 0: none
  int64_t skew_ms = 0;          // between the first split and the last one
  bool begins_later = false;    // the second split has no rows at first
  bool late_to_side_output = false;
  int phases = 0;
};

struct Scenario {
  uint64_t seed = 0;
  std::string job;  // YAML
  bool sessions = false;
  int64_t window_ms = 0;  // size or gap
  int parallelism = 1;
  // Not 0: it is cancelled on the way and goes on from a retained checkpoint at this one.
  int second_parallelism = 0;
  // So often it is stopped with a savepoint and goes on from there, at some parallelism.
  int stops = 0;
  bool savepoints = false;  // are taken meanwhile
  bool drains = false;      // in the end it is drained, the last rows are not read
  ClusterSettings cluster;
  std::vector<Pipeline> pipelines = {{"events", "rows", "results"}};
  Splits splits;                                // each source reads all of them
  std::optional<WatermarkSettings> watermarks;  // present: the splits are filled as it runs
  // Of those that were stopped on the way: what they have read, by source.
  std::map<std::string, Splits> read;
  const Splits& splits_of(const Pipeline& pipeline) const;
  nanoseconds pace{0};
  size_t padding = 0;              // of sink segments
  bool reads_marker_once = false;  // of the target (outside.h)
  int late_messages = 0;           // in thousandths
  nanoseconds latest{0};
  // Several heartbeats that are lost restart the job, which heals whatever else was lost: without
  // that each message has to be made good by whoever sent it.
  bool spares_heartbeats = false;
  int slow_ways = 0;  // the same
  std::vector<Fault> faults;

  bool damages() const;
  std::string Describe() const;  // for people
};

Scenario MakeScenario(uint64_t seed);
// The same cluster and faults, but for damage; one source, with rows around its watermark.
Scenario MakeWatermarkScenario(uint64_t seed);

// Computed from the rows alone.
std::map<WindowKey, WindowValue> ExpectedWindows(const Scenario& scenario, const Splits& splits);

}  // namespace watershed::sim
