// Runs an operator, or a chain of them, in every way that must not matter, and checks that all runs
// give the same rows: item by item and in batches; with snapshot, close, a new instance and restore
// after every item, at the same and at another parallelism; with an output that is periodically
// full; with both state backends; with a cache so small that everything is evicted. After the
// watermark +infinity no keyed state may be left. (The idea is Hazelcast Jet's TestSupport.)
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/operators/operator.h"
#include "runtime/state/keyed_state.h"

namespace watershed::test {

struct WatermarkItem {
  TimestampMs time_ms;
};
using Item = std::variant<RecordBatch, WatermarkItem>;

struct OperatorCase {
  using MakeOperator = std::function<Result<std::unique_ptr<Operator>>()>;
  std::vector<MakeOperator> chain;  // in order; rows of one go to the next
  // What arrives; the harness adds the watermark +infinity and the end of input.
  std::vector<Item> items;
  // Of the rows that arrive: they decide the subtask. Absent for an operator without keyed state.
  std::optional<std::vector<int>> key_columns;
  bool side_output_connected = false;
};

// What came out, sorted, as text (rows.h).
struct HarnessResult {
  std::vector<std::string> rows;
  std::map<std::string, std::vector<std::string>> side_rows;
  int64_t late_dropped = 0;  // numLateRecordsDropped, of all instances
  int yields = 0;            // differs between variants, so it is not compared
  bool operator==(const HarnessResult& other) const {
    return rows == other.rows && side_rows == other.side_rows && late_dropped == other.late_dropped;
  }
};

// One way to run it.
struct HarnessVariant {
  std::string name;
  StateBackendKind backend = StateBackendKind::kHashMap;
  int64_t cache_bytes = int64_t{64} << 20;
  int64_t max_dirty_bytes = 0;
  enum class Cut { kAsGiven, kRowByRow, kMerged } cut = Cut::kAsGiven;
  bool restore_after_every_item = false;  // also when the operator yields
  std::vector<int> parallelisms = {1};    // taken in turn at every restore
  bool rows_after_yield = false;  // after a yield's restore the next rows come before the watermark
  bool output_full = false;       // full() holds from an Emit until the operator yields
};

std::vector<HarnessVariant> AllVariants();

// Fails the current test where an operator breaks its contract.
HarnessResult RunVariant(const OperatorCase& tested, const HarnessVariant& variant);

// Runs all variants, expects them to agree, and returns the result for the test to compare.
HarnessResult RunAllVariants(const OperatorCase& tested);

}  // namespace watershed::test
