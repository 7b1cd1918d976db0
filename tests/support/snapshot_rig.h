// A place for snapshots that a test steps by hand: storage in memory, blocking work and mail
// queued.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "runtime/state/keyed_state.h"
#include "runtime/storage/background_writer.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/stepped_work_runner.h"

namespace watershed::test {

// One thread. Outlives the states that write to it.
class SnapshotRig {
 public:
  SnapshotRig() : storage_(std::make_shared<FaultyStorage>(&SystemClock())) {}
  SnapshotRig(const SnapshotRig&) = delete;
  SnapshotRig& operator=(const SnapshotRig&) = delete;

  FaultyStorage& storage() { return *storage_; }
  SteppedWorkRunner& io() { return *io_; }

  // Of a subtask that begins now: its names are no other's. Lives as long as the rig.
  // With an account its copies count there, and keep to it.
  const SnapshotTarget* NewTarget(MemoryAccount* account = nullptr) {
    const std::string prefix = "shared/" + std::to_string(targets_.size());
    targets_.push_back({storage_, io_.get(),
                        [this](std::function<Status()> mail) { mail_.push_back(std::move(mail)); },
                        prefix});
    if (account != nullptr) targets_.back().backlog = std::make_shared<SnapshotBacklog>(account);
    return &targets_.back();
  }

  // Runs the oldest piece of mail. False: there is none.
  Result<bool> StepMail() {
    if (mail_.empty()) return false;
    const std::function<Status()> mail = std::move(mail_.front());
    mail_.pop_front();
    WS_RETURN_IF_ERROR(mail());
    return true;
  }
  // Runs all work and mail, with what that adds.
  Status RunAll() {
    while (io_->RunAll() > 0 || !mail_.empty()) {
      WS_RETURN_IF_ERROR(StepMail());
    }
    return Ok();
  }
  // The process dies: work and mail that wait are lost. States must have gone before.
  void Crash() {
    io_->Stop();
    mail_.clear();
    dead_.push_back(std::exchange(io_, std::make_unique<SteppedWorkRunner>()));
  }

  // A snapshot from Freeze to the end. What is done meanwhile with other snapshots is done, too.
  Result<KeyedStateFiles> TakeSnapshot(KeyedState& state) {
    Result<KeyedStateFiles> taken = InternalError("the snapshot was never answered");
    state.Freeze([&taken](Result<KeyedStateFiles> files) {
      taken = std::move(files);
      return Ok();
    });
    while (state.WriteFrozen(int64_t{1} << 20) || io_->Step()) {
    }
    WS_RETURN_IF_ERROR(RunAll());
    return taken;
  }

 private:
  const std::shared_ptr<FaultyStorage> storage_;
  std::unique_ptr<SteppedWorkRunner> io_ = std::make_unique<SteppedWorkRunner>();
  std::vector<std::unique_ptr<SteppedWorkRunner>> dead_;  // targets may still name them
  std::deque<std::function<Status()>> mail_;
  std::deque<SnapshotTarget> targets_;
};

}  // namespace watershed::test
