// What windows over rows must give when rows come late: computed row by row from bounds of the
// watermark, with a list of windows per key. Shares nothing with the engine's operators.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/outside.h"
#include "tests/sim/scenario.h"

namespace watershed::sim {

class WindowReference {
 public:
  // What becomes of a row while the watermark is somewhere in [low_ms, high_ms].
  struct Bounds {
    int64_t low_ms = INT64_MIN;
    int64_t high_ms = INT64_MIN;
  };
  enum class Outcome : uint8_t {
    kUndecided,  // it depends on the watermark's place in the bounds
    kOpens,      // a window of its own
    kJoins,      // a window that is open
    kLate,
  };
  struct Fate {
    Outcome outcome = Outcome::kUndecided;
    int joined = 0;   // open windows
    int touched = 0;  // windows that have fired, which stay as they are
  };
  struct Window {
    int64_t start_ms = 0, end_ms = 0;
    WindowValue value;
  };

  WindowReference(bool sessions, int64_t width_ms) : sessions_(sessions), width_ms_(width_ms) {}

  Fate FateOf(const Row& row, Bounds bounds) const;
  // Precondition: its fate is decided. Rows of a key are added in the order in which they arrive.
  Fate Add(const Row& row, Bounds bounds);

  // In the order of their starts; fired ones too.
  const std::vector<Window>& windows(const std::string& key) const;
  const std::map<std::string, std::vector<Window>>& all() const { return windows_; }
  const std::vector<Row>& late() const { return late_; }

 private:
  Window Assign(const Row& row) const;
  bool Touch(const Window& a, const Window& b) const;

  const bool sessions_;
  const int64_t width_ms_;
  std::map<std::string, std::vector<Window>> windows_;
  std::vector<Row> late_;
};

}  // namespace watershed::sim
