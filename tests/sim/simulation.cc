#include "tests/sim/simulation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/checkpoint/manifest.h"
#include "tests/sim/client.h"
#include "tests/sim/faults.h"
#include "tests/sim/judge.h"
#include "tests/sim/watermark_case.h"

namespace watershed::sim {
namespace {

// Virtual time after which a seed that has not ended does not go on.
constexpr std::chrono::seconds kLongest{300};
constexpr milliseconds kGlance{10};
constexpr int kFaultInStop = 600;  // in thousandths

// An event that never ends ends the program, which says where.
class Watchdog {
 public:
  explicit Watchdog(uint64_t seed) {
    running_ = seed;
    ::signal(SIGALRM, [](int) {
      fmt::print(stderr, "seed {} goes round in one event for ever\n", running_);
      std::abort();
    });
    ::alarm(kPatienceS);
  }
  ~Watchdog() { ::alarm(0); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  static constexpr unsigned kPatienceS = 100;
  static inline uint64_t running_ = 0;
};

class Run {
 public:
  Run(const Scenario& scenario, bool verbose)
      : scenario_(scenario),
        verbose_(verbose),
        schedule_(scenario.seed),
        outside_(&schedule_),
        observer_(&schedule_, scenario.cluster.heartbeat_timeout),
        cluster_(&schedule_, &outside_, &observer_, scenario.cluster),
        client_(scenario, &cluster_),
        faults_(scenario, &cluster_) {
    outside_.splits = scenario.splits;
    cluster_.network().slow_ways = scenario.slow_ways;
    outside_.pace = scenario.pace;
    outside_.padding = scenario.padding;
    outside_.grows = scenario.watermarks.has_value();
    if (scenario.watermarks) {
      watermarks_.emplace(scenario, &outside_, &observer_);
      observer_.may_drop_late = !scenario.watermarks->late_to_side_output;
    }
    outside_.reads_marker_once = scenario.reads_marker_once;
    outside_.on_commit = [this](const Outside::Commit& commit) { observer_.OnCommit(commit); };
  }

  Outcome ToTheEnd() {
    cluster_.StartJobManager();
    for (int i = 0; i < cluster_.task_managers(); ++i) cluster_.StartTaskManager(i);
    Glance();
    const nanoseconds last = schedule_.Steady() + kLongest;
    while (!over_ && schedule_.Steady() < last) schedule_.RunNext();
    if (!over_) {
      observer_.Violate("stuck", fmt::format("{} after {} s: {}", client_.state(), kLongest.count(),
                                             client_.reason()));
    } else if (client_.state() == "FINISHED" && watermarks_) {
      watermarks_->Judge();
    } else if (client_.state() == "FINISHED") {
      Judge(scenario_.drains ? client_.stopping().UpToStop(scenario_) : scenario_, outside_,
            observer_);
    }
    return Result();
  }

 private:
  // What people around the cluster do: looks at it every now and then.
  void Glance() {
    faults_.Repair();
    client_.Glance();
    if (client_.submitted() && !begun_) Begin();
    faults_.Glance();
    LookAtManifests();
    if (begun_ && !outside_.released() && observer_.completed() >= kLeastCheckpoints &&
        faults_.all_done() && client_.may_end() && (!watermarks_ || watermarks_->done())) {
      if (scenario_.drains) {
        if (!std::exchange(drained_, true)) faults_.OnReleased();
        client_.Drain();
      } else {
        Say("the last rows can be read");
        outside_.Release();
        faults_.OnReleased();
      }
    }
    if (client_.state() != said_) Say(said_ = client_.state());
    if (client_.ended()) {
      // What still runs somewhere may do its harm.
      if (ended_at_ == nanoseconds(0)) ended_at_ = schedule_.Steady();
      over_ = schedule_.Steady() - ended_at_ > milliseconds(100);
    }
    if (!over_) schedule_.After(kGlance, [this] { Glance(); });
  }
  void LookAtManifests() {
    for (const v1::CheckpointEntry& entry : observer_.TakeCompleted()) {
      const auto bytes = cluster_.Peek(JoinUri(Cluster::kCheckpointDirectory, entry.job_id()),
                                       entry.checkpoint().manifest().name());
      if (!bytes) continue;  // subsumed and deleted meanwhile
      const auto manifest = DecodeManifest(*bytes);
      if (manifest) observer_.OnManifest(*manifest);
      if (manifest && watermarks_) watermarks_->OnManifest(*manifest);
    }
  }
  void Begin() {
    begun_ = true;
    client_.on_stop = [this] {
      Say("a stop is asked for");
      if (!schedule_.random().Chance(kFaultInStop)) return;
      faults_.Add(schedule_.random().Pick<FaultKind>(
          {FaultKind::kKillJobManager, FaultKind::kLoseJobManager, FaultKind::kKillTaskManager,
           FaultKind::kStorageErrors, FaultKind::kLogErrors}));
    };
    outside_.Begin();
    cluster_.network().late = scenario_.late_messages;
    cluster_.network().latest = scenario_.latest;
    cluster_.network().spares_heartbeats = scenario_.spares_heartbeats;
    faults_.Begin([this](const std::string& what) { Say(what); });
  }
  void Say(const std::string& what) {
    schedule_.Trace(what);
    if (verbose_) {
      fmt::print(stderr, "{:>10.3f} ms  {}\n",
                 static_cast<double>(schedule_.Steady().count()) / 1e6, what);
    }
  }

  // A job that has ended has seen what the seed is for; one that lost its checkpoints may fail.
  void JudgeEnd() {
    gave_up_ =
        client_.ended() && client_.state() == "FAILED" && observer_.MayFail(client_.reason());
    if (client_.ended() && client_.state() != "FINISHED" && !gave_up_) {
      observer_.Violate("job-failed", client_.state() + ": " + client_.reason());
    }
    if (observer_.completed() < kLeastCheckpoints) {
      observer_.Violate("checkpoints", fmt::format("{} completed", observer_.completed()));
    }
    if (faults_.suffered() < kLeastFaults) {
      observer_.Violate("faults", fmt::format("{} suffered", faults_.suffered()));
    }
  }
  std::map<std::string, int64_t> FaultsByKind() const {
    std::map<std::string, int64_t> by_kind = faults_.by_kind();
    for (const ClockError& error : scenario_.cluster.clocks) {
      if (error.wall_off.count() != 0) ++by_kind["wall clock off"];
      if (error.rate_ppm != 0) ++by_kind["clock too fast or slow"];
    }
    const auto add = [&](const char* kind, int64_t count) {
      if (count > 0) by_kind[kind] += count;
    };
    add("message lost", cluster_.network().messages_lost());
    add("message late", cluster_.network().messages_late());
    return by_kind;
  }

  Outcome Result() {
    observer_.OnEnd();
    client_.stopping().JudgeSavepoints();
    JudgeEnd();
    for (const auto& [sink, rows] : outside_.visible) {
      for (const auto& [row, count] : rows) schedule_.Trace(row, static_cast<uint64_t>(count));
    }
    Outcome outcome;
    outcome.seed = scenario_.seed;
    outcome.violations = observer_.violations();
    outcome.trace = schedule_.trace();
    outcome.checkpoints = observer_.completed();
    outcome.faults = faults_.suffered();
    outcome.kills = faults_.kills();
    outcome.by_kind = FaultsByKind();
    outcome.gave_up = gave_up_;
    outcome.stops = client_.stops();
    outcome.failed_stops = client_.failed_stops();
    outcome.fell_back = observer_.fell_back();
    outcome.attempts = observer_.attempts();
    outcome.resized = observer_.resized();
    outcome.region_restarts = observer_.region_restarts();
    outcome.restores = static_cast<int64_t>(observer_.restored().size());
    outcome.refused = observer_.refused();
    outcome.refused_commits = outside_.refused_commits;
    outcome.events = schedule_.events();
    if (watermarks_) outcome.features = watermarks_->features();
    outcome.virtual_ms = schedule_.Steady() / milliseconds(1);
    return outcome;
  }

  const Scenario scenario_;
  const bool verbose_;
  Schedule schedule_;
  Outside outside_;
  Observer observer_;
  Cluster cluster_;
  Client client_;
  Faults faults_;
  std::optional<WatermarkCase> watermarks_;
  bool begun_ = false;
  bool over_ = false;
  bool gave_up_ = false;
  bool drained_ = false;
  nanoseconds ended_at_{0};
  std::string said_;
};

}  // namespace

bool Outcome::Found(const std::string& oracle) const {
  return std::any_of(violations.begin(), violations.end(),
                     [&](const Violation& violation) { return violation.oracle == oracle; });
}

std::string Outcome::Describe() const {
  std::string text = fmt::format(
      "seed {}: {} checkpoints, {} faults ({} kills), {} attempts, {} restarts of regions, {} "
      "restored checkpoints, {} refused, {} events, {} ms, trace {:016x}",
      seed, checkpoints, faults, kills, attempts, region_restarts, restores, refused, events,
      virtual_ms, trace);
  constexpr size_t kShown = 8;
  for (size_t i = 0; i < std::min(violations.size(), kShown); ++i) {
    text += fmt::format("\n  {}: {}", violations[i].oracle, violations[i].what);
  }
  if (violations.size() > kShown)
    text += fmt::format("\n  and {} more", violations.size() - kShown);
  return text;
}

void Totals::Add(const Outcome& outcome) {
  ++seeds;
  checkpoints += outcome.checkpoints;
  faults += outcome.faults;
  kills += outcome.kills;
  for (const auto& [kind, count] : outcome.by_kind) by_kind[kind] += count;
  for (const auto& [feature, count] : outcome.features) {
    by_feature[feature].seeds += 1;
    by_feature[feature].count += count;
  }
  gave_up += outcome.gave_up;
  stops += outcome.stops;
  failed_stops += outcome.failed_stops;
  fell_back += outcome.fell_back;
  attempts += outcome.attempts;
  resized += outcome.resized;
  region_restarts += outcome.region_restarts;
  region_seeds += outcome.region_restarts > 0;
  restored_seeds += outcome.restores > 0;
  refused += outcome.refused;
  refused_commits += outcome.refused_commits;
  events += outcome.events;
}

std::string Totals::Describe() const {
  std::string text = fmt::format(
      "{} checkpoints, {} faults ({} kills), {} attempts ({} in another number of slots than the "
      "one before), {} restarts of regions while others ran in {} seeds, {} seeds restored, {} of "
      "them past a "
      "damaged checkpoint, {} failed as theirs were damaged, {} stale messages and {} commits of "
      "zombies refused, {} "
      "events; {} stops completed, {} failed; faults by kind:",
      checkpoints, faults, kills, attempts, resized, region_restarts, region_seeds, restored_seeds,
      fell_back, gave_up, refused, refused_commits, events, stops, failed_stops);
  for (const auto& [kind, count] : by_kind) text += fmt::format("\n  {:>8}  {}", count, kind);
  for (const auto& [feature, sum] : by_feature) {
    text += fmt::format("\n  {:>8}  {}, in {} seeds", sum.count, feature, sum.seeds);
  }
  return text;
}

Outcome Simulate(const Scenario& scenario, bool verbose) {
  const Watchdog watchdog(scenario.seed);
  return Run(scenario, verbose).ToTheEnd();
}

}  // namespace watershed::sim
