// What a job does per second, from two looks at its counters. Pure functions.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/status/job_status.h"

namespace watershed {

// Of one vertex. -1: not known (yet).
struct VertexRates {
  std::string vertex;
  std::string state;
  int32_t parallelism = 0;
  double records_in_per_second = -1;
  double records_out_per_second = -1;
  double bytes_in_per_second = -1;
  double bytes_out_per_second = -1;
  // Parts of its subtasks' time, 0 to 1.
  double busy = -1;
  double backpressured = -1;
  int64_t watermark_ms = 0;
  int64_t watermark_lag_ms = -1;  // behind the wall clock; -1 also at the end of input
  PartialSum records_in, records_out, late_records, skipped_records, dead_letter_records,
      source_lag_records;
};

// Counters come with heartbeats, so the time between two of them is what the subtasks were busy,
// idle and backpressured in, and not that between the two looks.
std::vector<VertexRates> RatesOf(const v1::JobDetails& before, const v1::JobDetails& after,
                                 int64_t now_ms);
nlohmann::ordered_json ToJson(const VertexRates& rates);

// "1,234", "–" when it is not known.
std::string RateText(double per_second);
std::string PercentText(double part);  // "45 %"

}  // namespace watershed
