// What the linter, the planner and the engine know about a connector without its client library.
// Each connector's folder holds options.cc (linked by everyone) beside source/sink (engine only).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/data_type.h"
#include "runtime/types/option_spec.h"
#include "runtime/types/result.h"

namespace watershed {

// A column that a source of typed rows can make.
struct TypedColumn {
  std::string_view name;
  DataType type;
};

// What a sink promises of rows around a failure, in a job that takes checkpoints.
struct SinkGuarantee {
  std::string_view delivery;           // "none", "at-least-once" or "exactly-once"
  std::string_view meaning;            // in words a person can act on
  bool visible_at_checkpoint = false;  // rows wait for theirs; else they are seen once written
};

// That of every sink that writes at once and appends.
inline constexpr SinkGuarantee kAtLeastOnceGuarantee = {
    "at-least-once",
    "rows are written at once; after a failure rows may come twice, none is missing"};

struct ConnectorSpec {
  std::string_view name;
  bool is_source = false;
  bool is_sink = false;
  bool needs_format = false;  // payloads are bytes: the job file must say `format:`
  std::vector<OptionSpec> source_options;
  std::vector<OptionSpec> sink_options;
  // For sources of typed rows: the columns there are; a job takes any of them, with these types.
  std::vector<TypedColumn> source_columns = {};
  // Null for connectors without a sink.
  std::function<SinkGuarantee(const OptionMap& options)> sink_guarantee = nullptr;
  // Checks beyond single options (null: none). `is_sink` tells which list applies.
  std::function<std::vector<OptionProblem>(const OptionMap& options, bool is_sink)> check = nullptr;
};

// Every connector built in, in alphabetical order; nullptr if there is none of that name.
std::span<const ConnectorSpec> AllConnectors();
const ConnectorSpec* FindConnector(std::string_view name);

}  // namespace watershed
