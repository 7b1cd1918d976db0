// Rows of a simulation that are drawn while it runs, on purpose around the watermark: partitions
// that fall silent and come back, up to an hour of skew between them, one that has no rows at
// first, rows on and beside the edges of windows that are about to fire, rows that bridge sessions.
//
// They come in phases. A phase begins when a complete checkpoint has read all rows so far, which
// says the watermark that every row from now on meets at least, whatever is restored; what it meets
// at most follows from the rows alone. Only rows are drawn for which that decides; so the reference
// knows each one's fate, though interleaving, faults and restores are left to the simulation.
//
// Oracles: watermark-back, watermark-ahead, watermark-held, split-watermark; and of results
// window-missing, window-invented, late-missing, late-invented, not-conserved, and judge.h's rows.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/observer.h"
#include "tests/sim/outside.h"
#include "tests/sim/scenario.h"
#include "tests/sim/window_reference.h"

namespace watershed::sim {

class WatermarkCase {
 public:
  WatermarkCase(const Scenario& scenario, Outside* outside, Observer* observer);

  void OnManifest(const v1::CheckpointManifest& manifest);
  // All phases have been read.
  bool done() const { return done_; }
  // When the job is FINISHED.
  void Judge();
  // What there was in it.
  const std::map<std::string, int64_t>& features() const { return features_; }

 private:
  using Outcome = WindowReference::Outcome;
  // What a checkpoint says of event time.
  struct Seen {
    std::map<std::string, size_t> positions;
    std::map<std::string, std::optional<int64_t>> split_watermarks_ms;
    std::optional<int64_t> watermark_ms;  // the least of the windows' subtasks
  };
  static Seen Read(const v1::CheckpointManifest& manifest);

  void JudgeWatermarks(const Seen& seen);
  bool IsRead(const Seen& seen) const;
  bool HasPassed(const Seen& seen) const;
  // The watermark that rows [0, position) of a split make; nothing: it has none.
  std::optional<int64_t> MarkOf(const std::string& split, size_t position) const;
  std::optional<int64_t> MarkOf(const std::string& split) const;
  // The most that the watermark can be when so much of each split has been read.
  int64_t HighestMark(const std::map<std::string, size_t>& positions) const;

  void BeginPhase();
  void ChooseSpeakers();
  void Advance();
  void Probe();
  void Pulse();
  int64_t ProbeTime(const std::string& key);
  // Adds the row to the split: to a key whose rows are known if its fate is, else to one whose rows
  // are only counted.
  void Put(const std::string& split, const std::string& key, int64_t time_ms);
  void Append(const std::string& split, Row row);
  void Note(const Row& row, const WindowReference::Fate& fate);
  std::string KeyFor(const std::string& split);

  void JudgeWindows();
  void JudgeLate();
  void JudgeFreeKeys();

  const WatermarkSettings settings_;
  const Scenario scenario_;
  Outside* const outside_;
  Observer* const observer_;
  Random random_;
  WindowReference reference_;
  std::vector<std::string> splits_;
  std::map<std::string, int64_t> newest_ms_;   // by split: where the next rows are
  std::map<std::string, std::string> owners_;  // of keys, in this phase: only one split has rows
  std::vector<std::string> speakers_;          // the splits that have rows in this phase
  std::set<std::string> silent_;               // were made idle, and have not come back
  WindowReference::Bounds bounds_;
  std::optional<int64_t> awaited_ms_;  // the watermark that this phase must reach
  int phase_ = 0;
  nanoseconds phase_began_{0};
  bool done_ = false;
  int64_t ids_ = 0;
  std::map<std::string, int64_t> features_;
};

}  // namespace watershed::sim
