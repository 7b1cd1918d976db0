// A sink whose commits a test holds, fails and lets go.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/connectors/sink.h"
#include "tests/unit/engine/rows.h"

namespace watershed {

// What happened, seen from outside: shared by the test and the sink it gave away.
struct SinkScript {
  std::mutex mutex;
  std::condition_variable changed;
  // Test to sink.
  bool hold_opens = false;
  bool hold_commits = false;
  std::deque<Error> commit_errors;  // one a commit, then success
  std::deque<Error> open_errors;
  std::optional<int64_t> committed_epoch;  // what Fence answers
  bool keeps_markers = false;
  bool writes_at_once = false;  // Prepare gives no segments
  // Sink to test.
  std::vector<std::string> committed;  // rows, in the order they became visible
  std::vector<int64_t> epochs;         // of commits asked for
  int opens_begun = 0;
  int commits_begun = 0;
  int flushes = 0;
  bool closed = false;
  bool destroyed = false;

  void HoldCommits(bool hold) {
    std::lock_guard lock(mutex);
    hold_commits = hold;
    changed.notify_all();
  }
  void HoldOpens(bool hold) {
    std::lock_guard lock(mutex);
    hold_opens = hold;
    changed.notify_all();
  }
  void AwaitOpenBegun() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return opens_begun > 0; });
  }
  void AwaitCommitsBegun(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return commits_begun >= count; });
  }
  void AwaitDestroyed() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return destroyed; });
  }
};

class ScriptedSink final : public Sink {
 public:
  explicit ScriptedSink(std::shared_ptr<SinkScript> script) : script_(std::move(script)) {}
  ~ScriptedSink() override {
    std::lock_guard lock(script_->mutex);
    script_->destroyed = true;
    script_->changed.notify_all();
  }

  Status Open() override {
    std::unique_lock lock(script_->mutex);
    ++script_->opens_begun;
    script_->changed.notify_all();
    script_->changed.wait(lock, [this] { return !script_->hold_opens; });
    return TakeError(script_->open_errors);
  }
  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId> writers, Attempt) override {
    return std::vector<WriterMarker>{{writers[0], {script_->committed_epoch.value_or(-1)}}};
  }
  Status Recover(std::span<const SinkSegment>) override { return Ok(); }
  Status Write(const RecordBatch& batch) override {
    for (const auto& [key, time_ms] : FromRows(batch)) {
      if (key == "refused") return UserError("value too long for column 'key'");
      buffered_ += key + ";";
    }
    return Ok();
  }
  Result<std::vector<SinkSegment>> Prepare(CheckpointId epoch) override {
    std::string payload = std::exchange(buffered_, {});
    if (script_->writes_at_once) return std::vector<SinkSegment>{};
    return std::vector<SinkSegment>{{epoch, 1, std::move(payload)}};
  }
  Status Commit(CheckpointId epoch, std::span<const SinkSegment> segments) override {
    std::unique_lock lock(script_->mutex);
    ++script_->commits_begun;
    script_->epochs.push_back(epoch.value);
    script_->changed.notify_all();
    script_->changed.wait(lock, [this] { return !script_->hold_commits; });
    WS_RETURN_IF_ERROR(TakeError(script_->commit_errors));
    for (const SinkSegment& segment : segments) {
      WS_ASSIGN_OR_RETURN(const SinkPayload::Bytes rows, segment.payload.Read());
      script_->committed.push_back(*rows);
    }
    return Ok();
  }
  Status Flush() override {
    ++script_->flushes;
    return Ok();
  }
  bool keeps_markers() const override { return script_->keeps_markers; }
  int64_t buffered_bytes() const override { return static_cast<int64_t>(buffered_.size()); }
  void Close() override {
    std::lock_guard lock(script_->mutex);
    script_->closed = true;
  }

 private:
  static Status TakeError(std::deque<Error>& errors) {
    if (errors.empty()) return Ok();
    Error error = std::move(errors.front());
    errors.pop_front();
    return tl::make_unexpected(std::move(error));
  }

  std::shared_ptr<SinkScript> script_;
  std::string buffered_;
};

}  // namespace watershed
