// What `wsctl run` says about a job in this process. Pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "runtime/engine/job_runner.h"

namespace watershed {

// Records per second over the last interval, from two readings of a counter.
class RateMeter {
 public:
  // `at` must not go back.
  void Update(int64_t records, std::chrono::nanoseconds at);
  int64_t records_per_second() const { return records_per_second_; }

 private:
  static constexpr std::chrono::nanoseconds kNever{-1};
  std::chrono::nanoseconds last_at_ = kNever;
  int64_t last_records_ = 0;
  int64_t records_per_second_ = 0;
};

// "120,000 records/s | in 1,200,000 | out 5 | late 0 | lag 12 | watermark 2026-… | reason"
std::string ProgressLine(const JobProgress& progress, int64_t records_per_second);
// "FINISHED after 2.5 s: 1,000,000 records in (400,000 records/s), 8 out, 0 late, 0 skipped"
std::string EndLine(const JobResult& result, const JobProgress& progress,
                    std::chrono::milliseconds duration);
nlohmann::ordered_json RunToJson(const JobResult& result, const JobProgress& progress,
                                 std::chrono::milliseconds duration);

}  // namespace watershed
