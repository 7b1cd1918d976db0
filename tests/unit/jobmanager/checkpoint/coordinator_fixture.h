// A CheckpointCoordinator of two source subtasks and a sink, driven by hand.
#pragma once

#include <fmt/format.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobmanager/checkpoint/checkpoint_coordinator.h"

namespace watershed {

class CheckpointCoordinatorTest : public testing::Test {
 protected:
  using milliseconds = std::chrono::milliseconds;
  using Key = CheckpointCoordinator::SubtaskKey;
  using Trigger = CheckpointCoordinator::Trigger;
  using Store = CheckpointCoordinator::Store;
  using Notify = CheckpointCoordinator::Notify;
  using FailJob = CheckpointCoordinator::FailJob;
  using Answer = CheckpointCoordinator::Answer;
  static inline const Key kSource0{"source", 0};
  static inline const Key kSource1{"source", 1};
  static inline const Key kSink{"sink", 0};
  static constexpr int64_t kWallOffsetMs = 1'000'000;

  void Start(const CheckpointSettings& settings, std::vector<v1::CheckpointRef> retained = {},
             int64_t next = 1) {
    history_.emplace("file:///ck/job", settings);
    coordinator_.emplace(
        settings,
        std::map<Key, std::string>{
            {kSource0, "events (1/2)"}, {kSource1, "events (2/2)"}, {kSink, "out (1/1)"}},
        std::move(retained), CheckpointId{next}, &*history_);
  }
  void StartRunning(const CheckpointSettings& settings) {
    Start(settings);
    coordinator_->OnRunning(Now());
  }
  static CheckpointSettings EverySecond() {
    CheckpointSettings settings;
    settings.interval = milliseconds(1000);
    settings.timeout = milliseconds(5000);
    return settings;
  }

  CheckpointTime Now() const {
    return {.steady = milliseconds(now_ms_), .wall_ms = kWallOffsetMs + wall_step_ms_ + now_ms_};
  }
  std::vector<std::string> At(int64_t ms) {
    now_ms_ = ms;
    return Step();
  }
  // Every action is written down as a few words.
  std::vector<std::string> Step() {
    std::vector<std::string> words;
    for (auto& action : coordinator_->Next(Now())) {
      if (const auto* trigger = std::get_if<Trigger>(&action)) {
        words.push_back(fmt::format("trigger {}{}", trigger->checkpoint.value, Kind(*trigger)));
      } else if (auto* store = std::get_if<Store>(&action)) {
        words.push_back(fmt::format("store {}", store->checkpoint.value));
        stored_ = std::move(*store);
      } else if (const auto* notify = std::get_if<Notify>(&action)) {
        words.push_back(notify->aborted.value > 0
                            ? fmt::format("aborted {}", notify->aborted.value)
                            : fmt::format("completed {}{}", notify->completed.value,
                                          notify->is_last ? " (last)" : ""));
      } else if (const auto* answer = std::get_if<Answer>(&action)) {
        words.push_back(fmt::format("{}: {}", answer->request.operation_id,
                                    answer->outcome
                                        ? std::to_string(answer->outcome->checkpoint_id())
                                        : answer->outcome.error().message));
      } else {
        words.push_back("fail: " + std::get<FailJob>(action).reason);
      }
    }
    return words;
  }

  static std::string Kind(const Trigger& trigger) {
    if (trigger.stop == v1::SUSPEND) return " (suspend)";
    if (trigger.stop == v1::DRAIN) return " (drain)";
    return trigger.is_savepoint ? " (savepoint)" : "";
  }
  static v1::SubtaskSnapshot Part(bool ended = false, bool has_segment = false) {
    v1::SubtaskSnapshot part;
    part.set_ended(ended);
    if (has_segment) part.add_sinks()->add_unconfirmed()->set_epoch(1);
    return part;
  }
  void Acknowledge(int64_t checkpoint, const Key& subtask, bool ended = false,
                   bool has_segment = false) {
    coordinator_->OnAcknowledged(CheckpointId{checkpoint}, subtask, Part(ended, has_segment),
                                 Now());
  }
  void AcknowledgeAll(int64_t checkpoint, bool has_segment = false) {
    Acknowledge(checkpoint, kSource0);
    Acknowledge(checkpoint, kSource1);
    Acknowledge(checkpoint, kSink, /*ended=*/false, has_segment);
  }
  static v1::CheckpointRef Ref(int64_t id) {
    v1::CheckpointRef ref;
    ref.set_checkpoint_id(id);
    ref.mutable_manifest()->set_name(fmt::format("chk-{}-1/_metadata", id));
    return ref;
  }
  void Stored(int64_t checkpoint) { coordinator_->OnStored(Ref(checkpoint), Now()); }
  void Confirm(int64_t checkpoint, const Key& subtask) {
    coordinator_->OnConfirmed(CheckpointId{checkpoint}, subtask);
  }
  void ConfirmAll(int64_t checkpoint) {
    for (const Key& key : {kSource0, kSource1, kSink}) Confirm(checkpoint, key);
  }
  // From its trigger, which has just been returned, to everybody's confirmation.
  void Complete(int64_t checkpoint) {
    AcknowledgeAll(checkpoint);
    EXPECT_THAT(Step(), testing::ElementsAre(fmt::format("store {}", checkpoint)));
    Stored(checkpoint);
    EXPECT_THAT(Step(), testing::ElementsAre(fmt::format("completed {}", checkpoint)));
    ConfirmAll(checkpoint);
    EXPECT_THAT(Step(), testing::IsEmpty());
  }
  int64_t NextMs() const {
    const auto next = coordinator_->next_time();
    return next ? std::chrono::duration_cast<milliseconds>(*next).count() : -1;
  }
  const v1::CheckpointStatistics& statistics() const { return history_->statistics(); }

  int64_t wall_step_ms_ = 0;
  int64_t now_ms_ = 0;
  std::optional<CheckpointHistory> history_;
  std::optional<CheckpointCoordinator> coordinator_;
  Store stored_;
};

}  // namespace watershed
