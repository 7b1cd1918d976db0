// The world around the job: a model of a topic whose splits are read by position, and of a
// transactional target. It outlives every process.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/engine/connector_factory.h"
#include "tests/sim/schedule.h"

namespace watershed::sim {

struct Row {
  std::string key;
  int64_t id = 0;  // of all rows
  int64_t value = 0;
  int64_t time_ms = 0;
};

class Outside {
 public:
  explicit Outside(Schedule* schedule) : schedule_(schedule) {}

  // The source. Row i of a split can be read `pace` after the one before; the last ones of each
  // split only after Release.
  std::map<std::string, std::vector<Row>> splits;
  nanoseconds pace{0};
  bool grows = false;  // all rows that there are can be read; more may follow until Release
  void Begin() { began_ = schedule_->Steady(); }
  void Release() { released_ = true; }
  bool released() const { return released_; }
  size_t Available(const std::vector<Row>& rows) const;
  bool IsFinished(const std::vector<Row>& rows, size_t position) const;
  size_t rows() const;

  // The target, by sink: how often each row can be seen in it.
  std::map<std::string, std::map<std::string, int>> visible;
  // An epoch is visible once; who has been fenced commits nothing.
  using Writer = std::tuple<std::string, std::string, int32_t>;  // lineage, sink, writer
  std::map<Writer, int64_t> markers;
  std::map<Writer, std::string> committers;  // the jobs that moved them
  std::map<Writer, int32_t> fences;          // the attempt that may write
  int64_t refused_commits = 0;               // of those fenced
  // True, as in Kafka: a writer reads its marker when it has fenced, and relies on the fence from
  // then on, until it does not know what has become of a commit. False, as in a database: in each
  // transaction.
  bool reads_marker_once = false;
  // A process is being killed: what its sinks do is cut off between two transactions, or not.
  bool client_dies = false;
  // Rows become visible.
  struct Commit {
    Writer writer;
    int64_t epoch = 0;
    int32_t attempt = 0;  // that commits
    int32_t fence = 0;    // the newest that has fenced the writer
  };
  std::function<void(const Commit&)> on_commit;
  // How often, in thousandths, a call does not come to the target, or its answer not back.
  int call_failures = 0;
  int lost_answers = 0;
  size_t padding = 0;     // bytes more in every segment, so that it becomes a file of its own
  int failing_polls = 0;  // the same; each fails a task

  Schedule& schedule() { return *schedule_; }

 private:
  static constexpr size_t kHeldBack = 3;

  Schedule* const schedule_;
  nanoseconds began_{0};
  bool released_ = false;
};

// Connectors of every kind, to it.
std::unique_ptr<ConnectorFactory> MakeConnectors(Outside* outside);

// The columns that the source makes, in their order.
inline constexpr const char* kColumns =
    "{ key: string, id: bigint, value: bigint, time: timestamp }";

}  // namespace watershed::sim
