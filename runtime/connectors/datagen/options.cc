#include "runtime/connectors/datagen/options.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/connectors/option_values.h"

namespace watershed {
namespace {

constexpr int64_t kMaxKeys = 100'000'000;  // as many IPv4 addresses as are handed out here
constexpr double kMaxRowsPerSecond = 1e8;

Status RequireRange(std::string_view option, double value, double low, double high) {
  if (value >= low && value <= high) return Ok();
  return UserError("{}: expected a number from {:.12g} to {:.12g}, got {:.12g}", option, low, high,
                   value);
}

Status ReadRates(const OptionMap& options, DatagenOptions& parsed) {
  WS_ASSIGN_OR_RETURN(const auto rate, ReadDouble(options, "rows-per-second"));
  WS_ASSIGN_OR_RETURN(parsed.number_of_rows, ReadInt64(options, "number-of-rows"));
  WS_ASSIGN_OR_RETURN(const auto step, ReadDuration(options, "time-step"));
  WS_ASSIGN_OR_RETURN(const auto disorder, ReadDuration(options, "disorder"));
  parsed.rows_per_second = rate.value_or(0);
  WS_RETURN_IF_ERROR(RequireRange("rows-per-second", parsed.rows_per_second, 0, kMaxRowsPerSecond));
  if (parsed.number_of_rows && *parsed.number_of_rows < 0) {
    return UserError("number-of-rows: expected at least 0, got {}", *parsed.number_of_rows);
  }
  // A limited rate makes event time keep pace with the clock, unless the job file says otherwise.
  if (parsed.rows_per_second > 0) {
    parsed.time_step_ns = std::max<int64_t>(1, std::llround(1e9 / parsed.rows_per_second));
  }
  if (step) parsed.time_step_ns = step->count();
  if (disorder) parsed.disorder_ms = disorder->count() / 1'000'000;
  return Ok();
}

Status ReadShape(const OptionMap& options, DatagenOptions& parsed) {
  WS_ASSIGN_OR_RETURN(const auto keys, ReadInt64(options, "keys"));
  WS_ASSIGN_OR_RETURN(const auto hosts, ReadInt64(options, "hosts"));
  WS_ASSIGN_OR_RETURN(const auto skew, ReadDouble(options, "skew"));
  WS_ASSIGN_OR_RETURN(const auto nulls, ReadDouble(options, "null-ratio"));
  WS_ASSIGN_OR_RETURN(const auto seed, ReadInt64(options, "seed"));
  parsed.keys = keys.value_or(parsed.keys);
  parsed.hosts = hosts.value_or(std::min(parsed.hosts, parsed.keys));
  parsed.skew = skew.value_or(parsed.skew);
  parsed.null_ratio = nulls.value_or(parsed.null_ratio);
  parsed.seed = static_cast<uint64_t>(seed.value_or(1));
  WS_RETURN_IF_ERROR(RequireRange("keys", static_cast<double>(parsed.keys), 1, kMaxKeys));
  WS_RETURN_IF_ERROR(RequireRange("hosts", static_cast<double>(parsed.hosts), 1,
                                  static_cast<double>(std::min<int64_t>(parsed.keys, 10'000))));
  WS_RETURN_IF_ERROR(RequireRange("skew", parsed.skew, 0, 5));
  return RequireRange("null-ratio", parsed.null_ratio, 0, 1);
}

std::vector<OptionProblem> Check(const OptionMap& options, bool /*is_sink*/) {
  const auto parsed = ParseDatagenOptions(options);
  if (parsed) return {};
  // Errors begin with the option's name.
  const std::string& message = parsed.error().message;
  return {{message.substr(0, message.find(':')), message}};
}

constexpr DataType kText{TypeKind::kString};
constexpr std::array<TypedColumn, 7> kWebTrafficColumns = {{
    {"url", kText},
    {"referrer", kText},
    {"user_agent", kText},
    {"host", kText},
    {"ip", kText},
    {"headers", kText},
    {"event_time", DataType{TypeKind::kTimestampMs}},
}};

}  // namespace

std::span<const TypedColumn> WebTrafficColumns() { return kWebTrafficColumns; }

ConnectorSpec DatagenSpec() {
  return {
      .name = "datagen",
      .is_source = true,
      .source_options =
          {
              {.name = "kind",
               .type = OptionType::kEnum,
               .default_value = "web-traffic",
               .choices = {"web-traffic"},
               .description = "What the rows are"},
              {.name = "rows-per-second", .description = "Of all subtasks together; 0 = no limit"},
              {.name = "number-of-rows",
               .type = OptionType::kInt,
               .description = "Stop after as many; absent = never"},
              {.name = "disorder",
               .type = OptionType::kDuration,
               .default_value = "0s",
               .description = "Event times go back by up to this"},
              {.name = "keys",
               .type = OptionType::kInt,
               .default_value = "10000",
               .description = "Distinct pairs of ip and host"},
              {.name = "hosts", .type = OptionType::kInt, .default_value = "35"},
              {.name = "skew",
               .default_value = "0",
               .description = "Exponent of the keys' Zipf distribution; 0 = all alike"},
              {.name = "start",
               .default_value = "now",
               .description = "Event time of the first row: now, or a time such as "
                              "2024-01-31T08:00:00Z"},
              {.name = "time-step",
               .type = OptionType::kDuration,
               .description = "Event time from one row to the next; default: the pace of "
                              "rows-per-second, or 1ms"},
              {.name = "null-ratio",
               .default_value = "0.3",
               .description = "Share of rows without a referrer"},
              {.name = "seed", .type = OptionType::kInt, .default_value = "1"},
          },
      .source_columns = {kWebTrafficColumns.begin(), kWebTrafficColumns.end()},
      .check = Check,
  };
}

Result<DatagenOptions> ParseDatagenOptions(const OptionMap& options) {
  DatagenOptions parsed;
  WS_RETURN_IF_ERROR(ReadRates(options, parsed));
  WS_RETURN_IF_ERROR(ReadShape(options, parsed));
  const std::string start = OptionOr(options, "start", "now");
  if (start != "now") {
    const auto time = ParseTimestampMs(start);
    if (!time) {
      return UserError("start: expected now or a UTC time such as 2024-01-31T08:00:00Z, got '{}'",
                       start);
    }
    parsed.start_ms = *time;
  }
  return parsed;
}

}  // namespace watershed
