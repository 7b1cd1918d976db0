// The calls on a Sink that block: opening with what it takes over, and commits. They run where the
// task does not wait for them, one at a time.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/connectors/sink.h"
#include "runtime/engine/backoff.h"
#include "runtime/engine/chain_node.h"
#include "runtime/engine/mailbox.h"
#include "runtime/engine/marker_check.h"
#include "runtime/engine/serial_runner.h"
#include "runtime/engine/sink_epoch.h"
#include "runtime/metrics/metrics.h"
#include "runtime/storage/object_storage.h"
#include "runtime/storage/stored_file.h"

namespace watershed {

// What a sink takes over from former attempts.
struct SinkTakeover {
  // Writers and what the target had confirmed to each; the subtask's own is among them, or new.
  std::vector<WriterMarker> writers;
  struct Segment {
    SinkSegment segment;
    StoredFile file;  // with a name: the payload is there
  };
  std::vector<Segment> segments;  // by writer, oldest first
  std::shared_ptr<ObjectStorage> storage;
  // What the target's markers must agree with; nothing: the job takes no checkpoints.
  std::optional<MarkerRules> rules;
};

// The task's thread.
class SinkCalls {
 public:
  struct Parameters {
    std::string name;  // "sink 'rows' subtask 1", for messages
    WriterId writer;
    Attempt attempt;
    SinkTakeover takeover;
    std::shared_ptr<Mailbox> mailbox;
    const Clock* clock = nullptr;
    std::unique_ptr<SerialRunner> runner;
    std::shared_ptr<MetricGroup> metrics;  // lives as long as a call may run
    std::chrono::milliseconds cancel_grace{2000};
  };
  SinkCalls(std::unique_ptr<Sink> sink, Parameters parameters);
  ~SinkCalls() { Close(); }

  // Opens, fences all writers, then commits what was left of them. kYield: under way, ask again
  // once mail has come; a cancel so need not sit out a client library's connect timeout.
  Result<Progress> Open();
  // After Open: every writer with its last committed epoch, the own one first.
  const std::vector<WriterMarker>& writers() const { return writers_; }

  // One at a time. A failure that may heal is asked again with the same epoch, with backoff; any
  // other fails the task.
  void Commit(std::shared_ptr<const SinkEpoch> epoch, std::function<Status()> done);
  bool committing() const { return committing_ != nullptr; }
  std::string degraded_reason() const { return degraded_reason_; }

  // For the calls that the task makes itself.
  Sink& sink() const { return *target_->sink; }
  Error Located(Error error) const { return std::move(error).Within(parameters_.name); }
  void Close();

 private:
  struct Opened {
    std::vector<WriterMarker> writers;
    // Committed for former attempts.
    int64_t epochs = 0;
    int64_t rows = 0;
  };
  static void CountRecovered(std::span<const SinkSegment> segments, Opened& opened);

  // The sink and what it uses: calls share it, so that one left behind by a cancel stays valid.
  struct Target {
    std::shared_ptr<MetricGroup> metrics;
    std::unique_ptr<Sink> sink;
    bool opened = false;

    // Goes on where it failed the time before.
    Result<Opened> Open(const WriterId& own, Attempt attempt, const SinkTakeover& takeover);
  };
  void StartOpen();
  void StartCommit();
  Status OnCommitted(const Status& status);
  void OnRetryableError(const Error& error);

  Parameters parameters_;
  std::shared_ptr<Target> target_;
  Backoff backoff_;
  bool opening_ = false;
  std::optional<Result<Opened>> opened_;
  std::vector<WriterMarker> writers_;
  std::shared_ptr<const SinkEpoch> committing_;
  std::function<Status()> on_committed_;
  std::string degraded_reason_;
  Counter* send_errors_;
  Counter* commits_;
  Counter* retries_;
  Counter* committed_records_;
};

}  // namespace watershed
