// What job files may say of the `datagen` source, and the same as values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "runtime/connectors/connector.h"
#include "runtime/types/result.h"

namespace watershed {

ConnectorSpec DatagenSpec();

// The columns of raw web events, in the order of WebTraffic's kinds.
std::span<const TypedColumn> WebTrafficColumns();

struct DatagenOptions {
  double rows_per_second = 0;             // of all subtasks together; 0 = as fast as possible
  std::optional<int64_t> number_of_rows;  // absent = unbounded
  int64_t disorder_ms = 0;                // event times go back by up to this
  int64_t keys = 10'000;                  // distinct (ip, host) pairs
  int64_t hosts = 35;
  double skew = 0;                   // exponent of the keys' Zipf distribution; 0 = uniform
  std::optional<int64_t> start_ms;   // absent = now
  int64_t time_step_ns = 1'000'000;  // event time from one row to the next
  double null_ratio = 0.3;           // share of rows without a referrer
  uint64_t seed = 1;
};

Result<DatagenOptions> ParseDatagenOptions(const OptionMap& options);

}  // namespace watershed
