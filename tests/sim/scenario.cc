#include "tests/sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/job_text.h"

namespace watershed::sim {
namespace {

constexpr int64_t kFirstRowMs = 1'700'000'000'000;
constexpr int64_t kDisorderMs = 20;

// At what scale things happen, of virtual time.
constexpr milliseconds kFaultsWithin{1800};

constexpr milliseconds kChannelsOpenWithin{4};

// Far more than a crystal: as of a virtual machine whose host is busy.
constexpr int64_t kMostDriftPpm = 80'000;

constexpr const char* kExponentialDelay =
    "{ type: exponential-delay, initial-backoff: 10ms, max-backoff: 500ms }";

std::string JobFile(const Scenario& scenario, bool two_phase, int64_t interval_ms,
                    const char* restarts, const char* drift) {
  return TextOf({.interval_ms = interval_ms,
                 .restarts = restarts,
                 .delay_ms = kDisorderMs,
                 .watermark_options = drift,
                 .late_to_side_output = !scenario.sessions && !two_phase},
                scenario);
}

void InsertBefore(const std::string& mark, const std::string& text, std::string& job) {
  job.insert(job.find(mark), text);
}

// Of the same topic, but apart from the rest of the job. With a smaller parallelism one outlives
// TaskManagers that the others need.
void AddPipelines(Random& random, Scenario& scenario) {
  const int least = scenario.second_parallelism == 0
                        ? scenario.parallelism
                        : std::min(scenario.parallelism, scenario.second_parallelism);
  const std::string source = fmt::format(
      R"(    connector: kafka
    topic: events
    properties.bootstrap.servers: nowhere
    scan.startup.mode: earliest-offset
    format: json
    columns: {}
    watermark: {{ column: time, delay: {}ms }}
)",
      kColumns, kDisorderMs);
  const auto some = [&] { return fmt::format("    parallelism: {}\n", random.Between(1, least)); };
  const int64_t which = random.Between(1, 3);
  if ((which & 1) != 0) {
    scenario.pipelines.push_back({"copied", "copies", ""});
    const bool is_wide = random.Chance(500);  // a region for each subtask of the job
    InsertBefore("operators:\n", "  copied:\n" + source + (is_wide ? "" : some()), scenario.job);
    scenario.job += "  copies: { input: copied, connector: blackhole }\n";
  }
  if ((which & 2) != 0) {
    scenario.pipelines.push_back({"others", "", "other_results"});
    InsertBefore("operators:\n", "  others:\n" + source + some(), scenario.job);
    InsertBefore("sinks:\n",
                 "  other_windows:\n    input: others\n" + WindowText(scenario) +
                     "    key: [key]\n    aggregate: { n: count(*), total: sum(value) }\n" + some(),
                 scenario.job);
    scenario.job += "  other_results: { input: other_windows, connector: blackhole }\n";
  }
}

void AddRows(Random& random, Scenario& scenario) {
  const int64_t keys = random.Between(3, 60);
  const int64_t rows = random.Between(60, 400);
  const int64_t step_ms = random.Between(1, 8);
  int64_t id = 0;
  const int64_t splits = random.Between(1, 5);
  for (int64_t s = 0; s < splits; ++s) {
    std::vector<Row>& split = scenario.splits[fmt::format("events-{}", s)];
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t time_ms = kFirstRowMs + i * step_ms + random.Below(kDisorderMs);
      split.push_back(
          {fmt::format("k{}", random.Below(keys)), ++id, random.Between(-5, 20), time_ms});
    }
  }
  scenario.pace = nanoseconds(milliseconds(random.Between(600, 1500))) / rows;
}

void SetCluster(Random& random, Scenario& scenario) {
  ClusterSettings& cluster = scenario.cluster;
  cluster.task_managers = static_cast<int>(random.Between(1, 4));
  const int most = std::max(scenario.parallelism, scenario.second_parallelism);
  cluster.slots = (most + cluster.task_managers - 1) / cluster.task_managers +
                  static_cast<int>(random.Below(2));
  cluster.max_parallelism = random.Chance(500) ? 128 : 16;
  cluster.checkpoints.timeout = milliseconds(random.Between(500, 2000));
  cluster.checkpoints.min_pause = milliseconds(random.Below(30));
  if (random.Chance(150)) {
    cluster.checkpoints.tolerable_failures = static_cast<int>(random.Below(3));
  }
  cluster.checkpoints.notify_again = milliseconds(200);
  cluster.checkpoints.retained = static_cast<int>(random.Between(1, 3));
  cluster.tasks.auto_watermark_interval_ms = random.Pick<int64_t>({0, 5, 20, 100});
  cluster.tasks.buffer_timeout_ms = random.Between(1, 10);
  cluster.tasks.batch_size_bytes = random.Pick<int64_t>({200, 1000, 64 << 10});
  cluster.tasks.max_records_per_poll = static_cast<int>(random.Pick<int64_t>({3, 10, 50}));
  cluster.tasks.sink_epoch_size_bytes = random.Pick<int64_t>({300, 5000, 4 << 20});
  cluster.state_cache_bytes = random.Pick<int64_t>({4 << 10, 32 << 10, 1 << 20});
  cluster.channel_capacity_bytes = random.Pick<int64_t>({500, 4000, 1 << 16});
  cluster.log_snapshot_every = static_cast<int>(random.Between(5, 60));
  // In half of the seeds; drawn with the line above, so that the others stay what they were.
  if (cluster.log_snapshot_every % 2 == 0) {
    cluster.lease = milliseconds(300 + 10 * cluster.log_snapshot_every);
  }
  cluster.longest_io =
      random.Pick<milliseconds>({milliseconds(1), milliseconds(5), milliseconds(20)});
}

// Jobs that start in fewer slots than they ask for, and grow; some never find all.
void SetAdaptive(Random& random, ClusterSettings& cluster) {
  cluster.adaptive = {.enabled = true,
                      .wait = milliseconds(random.Between(50, 1000)),
                      .stabilization = milliseconds(random.Between(0, 300)),
                      .cooldown = milliseconds(random.Between(50, 400)),
                      .growth_stabilization = milliseconds(random.Between(0, 300))};
  if (random.Chance(300)) cluster.slots = std::max(cluster.slots - 1, 1);
}

Fault MakeFault(Random& random, const Scenario& scenario) {
  // Kills more often than the rest.
  static const std::vector<FaultKind> kKinds = {
      FaultKind::kKillTaskManager,   FaultKind::kKillTaskManager, FaultKind::kKillTaskManager,
      FaultKind::kKillJobManager,    FaultKind::kLoseJobManager,  FaultKind::kKillJobManager,
      FaultKind::kFreezeTaskManager, FaultKind::kCutStreams,      FaultKind::kCutControl,
      FaultKind::kSilence,           FaultKind::kStorageErrors,   FaultKind::kStorageErrors,
      FaultKind::kLogErrors,         FaultKind::kSlowStorage,     FaultKind::kTargetErrors,
      FaultKind::kSourceErrors,      FaultKind::kDamage,          FaultKind::kDamageFile,
      FaultKind::kDamageStored,      FaultKind::kDamageStored,    FaultKind::kStallTaskManager,
      FaultKind::kStallJobManager};
  Fault fault{.kind = random.Pick(kKinds)};
  fault.at = random.Between(milliseconds(30), kFaultsWithin);
  if (random.Chance(250)) {
    fault.after_release = true;
    fault.at /= 6;
  }
  fault.target = static_cast<int>(random.Below(scenario.cluster.task_managers));
  fault.other = static_cast<int>(random.Below(scenario.cluster.task_managers));
  fault.duration = milliseconds(random.Between(50, 1600));
  const bool stalls =
      fault.kind == FaultKind::kStallTaskManager || fault.kind == FaultKind::kStallJobManager;
  if (stalls) fault.duration += scenario.cluster.heartbeat_timeout;
  return fault;
}

// Something that the job does not survive without a restore, once there is what to restore.
Fault MakeRestore(Random& random, const Scenario& scenario) {
  Fault fault = MakeFault(random, scenario);
  static const std::vector<FaultKind> kKinds = {
      FaultKind::kKillTaskManager, FaultKind::kKillTaskManager, FaultKind::kKillTaskManager,
      FaultKind::kStallTaskManager};
  fault.kind = random.Pick(kKinds);
  fault.after_release = false;
  fault.at = random.Between(milliseconds(0), milliseconds(300));
  fault.after_checkpoints = static_cast<int>(random.Between(1, 5));
  fault.duration = milliseconds(random.Between(100, 1600)) + scenario.cluster.heartbeat_timeout;
  return fault;
}

// Once there is what to lose.
Fault MakePowerLoss(Random& random) {
  Fault fault{.kind = FaultKind::kPowerLoss};
  fault.at = random.Between(milliseconds(0), milliseconds(300));
  fault.after_checkpoints = static_cast<int>(random.Between(1, 4));
  return fault;
}

// One that a sink is cut off by in the middle of a commit, or that leaves it as a zombie.
Fault MakeFaultInSink(Random& random, Scenario& scenario) {
  ClusterSettings& cluster = scenario.cluster;
  Fault fault = MakeRestore(random, scenario);
  fault.in_sink_call = true;
  const int others = cluster.task_managers - 1;
  if (others == 0 || random.Chance(250)) {
    fault.kind = FaultKind::kKillTaskManager;
    return fault;
  }
  // The others take over what the zombie has, before it wakes up.
  fault.kind = FaultKind::kStallTaskManager;
  fault.duration += cluster.heartbeat_timeout;
  const int most = std::max(scenario.parallelism, scenario.second_parallelism);
  if (!cluster.adaptive.enabled)
    cluster.slots = std::max(cluster.slots, (most + others - 1) / others);
  return fault;
}

// Tasks fail one by one, while all TaskManagers stay.
Fault MakeTaskFailures(Random& random) {
  Fault fault{.kind = FaultKind::kSourceErrors};
  fault.at = random.Between(milliseconds(0), milliseconds(400));
  fault.after_checkpoints = static_cast<int>(random.Between(0, 3));
  fault.duration = milliseconds(random.Between(50, 800));
  return fault;
}

// A job may fail when all of its checkpoints are damaged: not before the seed has had its share.
void SetDamages(Random& random, Scenario& scenario) {
  scenario.cluster.checkpoints.retained = kLeastCheckpoints;
  for (Fault& fault : scenario.faults) {
    if (Damages(fault.kind)) fault.after_checkpoints = kLeastCheckpoints;
  }
  if (random.Chance(500)) scenario.padding = 70'000;
}

void AddFaults(Random& random, Scenario& scenario) {
  const int64_t faults = random.Between(2, 5);
  while (std::ssize(scenario.faults) < faults) {
    const Fault fault = MakeFault(random, scenario);
    // One that is damaged leaves others to go back to; whoever names one should name another.
    const bool is_second = scenario.damages() || scenario.second_parallelism > 0;
    if (Damages(fault.kind) && is_second) continue;
    scenario.faults.push_back(fault);
  }
  if (scenario.damages()) SetDamages(random, scenario);
  if (random.Chance(850)) scenario.faults.push_back(MakeRestore(random, scenario));
}

// While channels are opened.
Fault MakeEarlyCut(Random& random, const Scenario& scenario) {
  const int count = scenario.cluster.task_managers;
  Fault fault{.kind = FaultKind::kCutStreams};
  fault.at_deployment = true;
  fault.at = random.Between(nanoseconds(0), kChannelsOpenWithin);
  fault.target = static_cast<int>(random.Below(count));
  fault.other = static_cast<int>((fault.target + random.Between(1, count - 1)) % count);
  return fault;
}

// From a second to some hours, forwards or backwards.
milliseconds ClockDistance(Random& random) {
  const int64_t distance_ms = random.Between(1000, 2000) << random.Below(13);
  return milliseconds(random.Chance(500) ? distance_ms : -distance_ms);
}

// Each machine has its own.
void SetClocks(Random& random, Scenario& scenario) {
  const int machines = Cluster::machines(scenario.cluster);
  for (int i = 0; i < machines; ++i) {
    ClockError& error = scenario.cluster.clocks.emplace_back();
    error.up_for = milliseconds(random.Below(int64_t{30} * 24 * 3600 * 1000));
    if (random.Chance(600)) error.wall_off = ClockDistance(random);
    if (random.Chance(600)) error.rate_ppm = random.Between(-kMostDriftPpm, kMostDriftPpm);
  }
  const int64_t steps = random.Between(0, 4);
  for (int64_t i = 0; i < steps; ++i) {
    Fault step{.kind = FaultKind::kStepClock};
    step.at = random.Between(milliseconds(30), kFaultsWithin);
    // The JobManager's more often: it is the one that waits.
    step.target = static_cast<int>(random.Chance(400) ? scenario.cluster.task_managers
                                                      : random.Below(machines));
    step.step = ClockDistance(random);
    scenario.faults.push_back(step);
  }
}

void AddSessions(const std::string& key, std::vector<Row> rows, int64_t gap_ms,
                 std::map<WindowKey, WindowValue>& windows) {
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.time_ms < b.time_ms; });
  for (size_t i = 0; i < rows.size();) {
    WindowKey window{key, rows[i].time_ms, 0};
    WindowValue value;
    int64_t last_ms = rows[i].time_ms;
    for (; i < rows.size() && rows[i].time_ms - last_ms <= gap_ms; ++i) {
      last_ms = rows[i].time_ms;
      ++value.rows;
      value.sum += rows[i].value;
    }
    window.end_ms = last_ms + gap_ms;
    windows[window] = value;
  }
}

}  // namespace

std::string NameOf(FaultKind kind) {
  static const std::vector<std::string> kNames = {"kill TaskManager",
                                                  "kill JobManager",
                                                  "lose JobManager",
                                                  "freeze TaskManager",
                                                  "stall TaskManager",
                                                  "stall JobManager",
                                                  "cut streams",
                                                  "cut control",
                                                  "silence",
                                                  "storage errors",
                                                  "log errors",
                                                  "slow storage",
                                                  "target errors",
                                                  "source errors",
                                                  "damaged manifest",
                                                  "damaged file",
                                                  "damaged after it was stored",
                                                  "clock step",
                                                  "power loss"};
  return kNames[static_cast<size_t>(kind)];
}

bool Damages(FaultKind kind) {
  return kind == FaultKind::kDamage || kind == FaultKind::kDamageFile ||
         kind == FaultKind::kDamageStored;
}

bool Scenario::damages() const {
  return std::any_of(faults.begin(), faults.end(),
                     [](const Fault& fault) { return Damages(fault.kind); });
}

std::string Scenario::Describe() const {
  std::string text = fmt::format(
      "seed {}: {} of {} ms, parallelism {}{}, {} TaskManagers with {} slots, {} splits", seed,
      sessions ? "sessions" : "tumbling windows", window_ms, parallelism,
      second_parallelism == 0 ? "" : fmt::format(" then {}", second_parallelism),
      cluster.task_managers, cluster.slots, splits.size());
  if (stops > 0) text += fmt::format(", {} stops", stops);
  if (drains) text += ", drained";
  for (size_t i = 1; i < pipelines.size(); ++i) text += ", apart: " + pipelines[i].source;
  if (cluster.adaptive.enabled) text += ", adaptive";
  if (reads_marker_once) text += ", markers read once";
  for (const Fault& fault : faults) {
    text += fmt::format("; {} {} at {} ms", NameOf(fault.kind), fault.target,
                        fault.at / milliseconds(1));
    if (fault.after_release) text += " after the release";
    if (fault.at_deployment) text += " after a deployment";
    if (fault.in_sink_call) text += " in a sink's call";
    if (fault.after_checkpoints > 0) {
      text += fmt::format(" after {} checkpoints", fault.after_checkpoints);
    }
    if (fault.duration.count() > 0) {
      text += fmt::format(" for {} ms", fault.duration / milliseconds(1));
    }
    if (fault.step.count() != 0) text += fmt::format(" by {} ms", fault.step.count());
  }
  for (size_t i = 0; i < cluster.clocks.size(); ++i) {
    const ClockError& error = cluster.clocks[i];
    text += fmt::format("; clock {}: {} ms off, {} ppm", i, error.wall_off.count(), error.rate_ppm);
  }
  return text;
}

Scenario MakeScenario(uint64_t seed) {
  Random random(seed * 2 + 1);
  Scenario scenario;
  scenario.seed = seed;
  scenario.sessions = random.Chance(500);
  scenario.window_ms = scenario.sessions ? random.Between(20, 80) : random.Between(30, 150);
  scenario.parallelism = static_cast<int>(random.Between(1, 4));
  if (random.Chance(150)) scenario.second_parallelism = static_cast<int>(random.Between(1, 4));
  SetCluster(random, scenario);
  AddRows(random, scenario);
  const bool two_phase = random.Chance(600);
  scenario.job = JobFile(scenario, two_phase, random.Between(60, 250),
                         random.Chance(600) ? kFixedDelay : kExponentialDelay,
                         random.Chance(300) ? ", max-drift: 50ms" : "");
  if (random.Chance(100)) scenario.padding = 70'000;
  if (random.Chance(500)) {
    scenario.late_messages = static_cast<int>(random.Between(5, 60));
    scenario.latest = milliseconds(random.Between(50, 3000));
  }
  if (random.Chance(700)) scenario.slow_ways = static_cast<int>(random.Between(100, 500));
  AddFaults(random, scenario);
  if (random.Chance(600)) SetClocks(random, scenario);
  if (!scenario.damages() && scenario.second_parallelism == 0) {
    if (random.Chance(300)) scenario.stops = static_cast<int>(random.Between(1, 2));
    scenario.savepoints = random.Chance(300);
    scenario.drains = random.Chance(150);
  }
  scenario.spares_heartbeats = random.Chance(700);
  if (scenario.cluster.task_managers > 1) {
    const int64_t cuts = random.Between(0, 2);
    for (int64_t i = 0; i < cuts; ++i) scenario.faults.push_back(MakeEarlyCut(random, scenario));
  }
  if (random.Chance(350)) SetAdaptive(random, scenario.cluster);
  // An adaptive job is one region.
  if (!scenario.cluster.adaptive.enabled && random.Chance(550)) {
    AddPipelines(random, scenario);
    scenario.faults.push_back(MakeTaskFailures(random));
  }
  if (random.Chance(500)) scenario.faults.push_back(MakeFaultInSink(random, scenario));
  scenario.reads_marker_once = random.Chance(700);
  if (random.Chance(150)) {
    scenario.cluster.has_disks = true;
    scenario.faults.push_back(MakePowerLoss(random));
  }
  return scenario;
}

const Splits& Scenario::splits_of(const Pipeline& pipeline) const {
  const auto own = read.find(pipeline.source);
  return own == read.end() ? splits : own->second;
}

std::map<WindowKey, WindowValue> ExpectedWindows(const Scenario& scenario, const Splits& splits) {
  std::map<std::string, std::vector<Row>> by_key;
  for (const auto& [id, rows] : splits) {
    for (const Row& row : rows) by_key[row.key].push_back(row);
  }
  std::map<WindowKey, WindowValue> windows;
  for (const auto& [key, rows] : by_key) {
    if (scenario.sessions) {
      AddSessions(key, rows, scenario.window_ms, windows);
      continue;
    }
    for (const Row& row : rows) {
      const int64_t start_ms = row.time_ms - row.time_ms % scenario.window_ms;
      WindowValue& value = windows[{key, start_ms, start_ms + scenario.window_ms}];
      ++value.rows;
      value.sum += row.value;
    }
  }
  return windows;
}

}  // namespace watershed::sim
