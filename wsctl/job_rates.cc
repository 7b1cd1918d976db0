#include "wsctl/job_rates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "runtime/types/event_time.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

using Json = nlohmann::ordered_json;

// Nothing when either was not known, or an attempt that began in between counts anew.
std::optional<double> Growth(const PartialSum& before, const PartialSum& after) {
  if (!before.complete || !after.complete || after.value < before.value) return std::nullopt;
  return static_cast<double>(after.value - before.value);
}

double Divided(std::optional<double> growth, double by) {
  return growth && by > 0 ? *growth / by : -1;
}

VertexRates RatesOf(const VertexTotals* before, const VertexTotals& after, int64_t now_ms) {
  VertexRates rates{.vertex = after.vertex->name(),
                    .state = std::string(NameOf(after.state)),
                    .parallelism = after.vertex->parallelism(),
                    .watermark_ms = after.watermark_ms,
                    .records_in = after.records_in,
                    .records_out = after.records_out,
                    .late_records = after.late_records,
                    .skipped_records = after.skipped_records,
                    .dead_letter_records = after.dead_letter_records,
                    .source_lag_records = after.source_lag_records};
  const bool is_time = !WatermarkText(after.watermark_ms).empty() &&
                       WatermarkText(after.watermark_ms) != "end-of-input";
  if (is_time) rates.watermark_lag_ms = std::max<int64_t>(0, now_ms - after.watermark_ms);
  if (before == nullptr) return rates;
  const auto busy = Growth(before->busy_ms, after.busy_ms);
  const auto idle = Growth(before->idle_ms, after.idle_ms);
  const auto backpressured = Growth(before->backpressured_ms, after.backpressured_ms);
  if (!busy || !idle || !backpressured) return rates;
  const double all_ms = *busy + *idle + *backpressured;
  const double seconds = all_ms / 1000 / std::max(1, rates.parallelism);
  rates.records_in_per_second = Divided(Growth(before->records_in, after.records_in), seconds);
  rates.records_out_per_second = Divided(Growth(before->records_out, after.records_out), seconds);
  rates.bytes_in_per_second = Divided(Growth(before->bytes_in, after.bytes_in), seconds);
  rates.bytes_out_per_second = Divided(Growth(before->bytes_out, after.bytes_out), seconds);
  rates.busy = Divided(busy, all_ms);
  rates.backpressured = Divided(backpressured, all_ms);
  return rates;
}

Json NumberOrNull(double number) {
  return number < 0 ? Json() : Json(std::round(number * 1000) / 1000);
}
Json SumOrNull(const PartialSum& sum) { return sum.known ? Json(sum.value) : Json(); }

}  // namespace

std::vector<VertexRates> RatesOf(const v1::JobDetails& before, const v1::JobDetails& after,
                                 int64_t now_ms) {
  const std::vector<VertexTotals> old = TotalsByVertex(before);
  std::vector<VertexRates> rates;
  for (const VertexTotals& vertex : TotalsByVertex(after)) {
    const auto same = std::find_if(old.begin(), old.end(), [&](const VertexTotals& each) {
      return each.vertex->id() == vertex.vertex->id() && before.attempt() == after.attempt();
    });
    rates.push_back(RatesOf(same == old.end() ? nullptr : &*same, vertex, now_ms));
  }
  return rates;
}

Json ToJson(const VertexRates& rates) {
  const std::string watermark = WatermarkText(rates.watermark_ms);
  return {{"name", rates.vertex},
          {"state", rates.state},
          {"parallelism", rates.parallelism},
          {"records-in-per-second", NumberOrNull(rates.records_in_per_second)},
          {"records-out-per-second", NumberOrNull(rates.records_out_per_second)},
          {"bytes-in-per-second", NumberOrNull(rates.bytes_in_per_second)},
          {"bytes-out-per-second", NumberOrNull(rates.bytes_out_per_second)},
          {"busy", NumberOrNull(rates.busy)},
          {"backpressured", NumberOrNull(rates.backpressured)},
          {"watermark", watermark.empty() ? Json() : Json(watermark)},
          {"watermark-lag-ms", rates.watermark_lag_ms < 0 ? Json() : Json(rates.watermark_lag_ms)},
          {"records-in", SumOrNull(rates.records_in)},
          {"records-out", SumOrNull(rates.records_out)},
          {"late-records", SumOrNull(rates.late_records)},
          {"skipped-records", SumOrNull(rates.skipped_records)},
          {"dead-letter-records", SumOrNull(rates.dead_letter_records)},
          {"lag-records", SumOrNull(rates.source_lag_records)}};
}

std::string RateText(double per_second) {
  return per_second < 0 ? "–" : GroupDigits(static_cast<int64_t>(std::llround(per_second)));
}

std::string PercentText(double part) {
  return part < 0 ? "–" : fmt::format("{} %", std::llround(part * 100));
}

}  // namespace watershed
