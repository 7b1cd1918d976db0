#include "wsctl/run_progress.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "runtime/status/job_status.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

std::string_view NameOfEnd(TaskState state) {
  switch (state) {
    case TaskState::kFinished:
      return "FINISHED";
    case TaskState::kCanceled:
      return "CANCELED";
    default:
      return "FAILED";
  }
}

int64_t AverageRate(int64_t records, std::chrono::milliseconds duration) {
  return duration.count() > 0 ? records * 1000 / duration.count() : 0;
}

}  // namespace

void RateMeter::Update(int64_t records, std::chrono::nanoseconds at) {
  if (last_at_ != kNever && at > last_at_) {
    double seconds = std::chrono::duration<double>(at - last_at_).count();
    records_per_second_ =
        static_cast<int64_t>(static_cast<double>(records - last_records_) / seconds);
  }
  last_at_ = at;
  last_records_ = records;
}

std::string ProgressLine(const JobProgress& progress, int64_t records_per_second) {
  std::string line =
      fmt::format("{} records/s | in {} | out {} | late {}", GroupDigits(records_per_second),
                  GroupDigits(progress.records_in), GroupDigits(progress.records_out),
                  GroupDigits(progress.late_records));
  if (progress.skipped_records > 0) {
    line += fmt::format(" | skipped {}", GroupDigits(progress.skipped_records));
  }
  if (progress.dead_letter_records > 0) {
    line += fmt::format(" | dead letters {}", GroupDigits(progress.dead_letter_records));
  }
  if (progress.source_lag_records >= 0) {
    line += fmt::format(" | lag {}", GroupDigits(progress.source_lag_records));
  }
  std::string watermark = WatermarkText(progress.watermark_ms);
  line += fmt::format(" | watermark {}", watermark.empty() ? "–" : watermark);
  if (!progress.degraded_reason.empty()) line += " | " + Printable(progress.degraded_reason);
  return line;
}

std::string EndLine(const JobResult& result, const JobProgress& progress,
                    std::chrono::milliseconds duration) {
  return fmt::format(
      "{} after {}: {} records in ({} records/s), {} out, {} late, {} skipped{}",
      NameOfEnd(result.state), HumanDuration(duration.count()), GroupDigits(progress.records_in),
      GroupDigits(AverageRate(progress.records_in, duration)), GroupDigits(progress.records_out),
      GroupDigits(progress.late_records), GroupDigits(progress.skipped_records),
      progress.dead_letter_records > 0
          ? fmt::format(", {} dead letters", GroupDigits(progress.dead_letter_records))
          : "");
}

nlohmann::ordered_json RunToJson(const JobResult& result, const JobProgress& progress,
                                 std::chrono::milliseconds duration) {
  using Json = nlohmann::ordered_json;
  std::string watermark = WatermarkText(progress.watermark_ms);
  return {{"state", NameOfEnd(result.state)},
          {"failure", result.state == TaskState::kFailed ? Json(result.failure.message) : Json()},
          {"duration-ms", duration.count()},
          {"records-in", progress.records_in},
          {"records-out", progress.records_out},
          {"late-records", progress.late_records},
          {"skipped-records", progress.skipped_records},
          {"dead-letter-records", progress.dead_letter_records},
          {"lag-records",
           progress.source_lag_records >= 0 ? Json(progress.source_lag_records) : Json()},
          {"watermark", watermark.empty() ? Json() : Json(watermark)},
          {"records-per-second", AverageRate(progress.records_in, duration)}};
}

}  // namespace watershed
