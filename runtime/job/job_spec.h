// A job file as it was written: its structure is checked and every scalar filled in, but no name is
// resolved yet. Each value remembers where it stands, for the messages of the next step
// (resolver.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/job/source_mark.h"

namespace watershed {

// An option of a connector or a format: "scan.startup.mode: earliest-offset".
struct OptionEntry {
  MarkedText name;
  MarkedText value;
  bool unreadable = false;  // its value was reported
};

struct FormatSpec {
  MarkedText name;  // empty: it was reported
  std::vector<OptionEntry> options;
};

// How a timestamp is written in a payload.
struct TimestampSpec {
  std::optional<MarkedText> pattern;
  std::optional<MarkedText> epoch;  // "s", "ms", "us"
};

struct ColumnSpec {
  MarkedText name;
  MarkedText type;
  std::optional<MarkedText> path;
  TimestampSpec timestamp;
  bool not_null = false;
};

struct WatermarkColumnSpec {
  Mark mark;
  MarkedText column;
  int64_t delay_ms = 0;
  std::optional<int64_t> idle_timeout_ms;
  std::optional<int64_t> max_drift_ms;
};

enum class OnErrorAction : uint8_t { kFail, kSkip, kDeadLetter };

struct OnErrorSpec {
  Mark mark;
  OnErrorAction action = OnErrorAction::kFail;
  std::vector<OptionEntry> options;  // of the sink for dead letters
};

// `incomplete`: part of it could not be read and was reported, so what seems to be missing
// downstream may not be.
struct SourceSpec {
  MarkedText name;
  bool incomplete = false;
  MarkedText connector;
  std::vector<OptionEntry> options;
  std::optional<FormatSpec> format;
  std::optional<OnErrorSpec> on_error;
  std::vector<ColumnSpec> columns;
  std::optional<WatermarkColumnSpec> watermark;
  std::optional<int32_t> parallelism;
};

struct ProjectedColumn {
  MarkedText output;
  MarkedText input;
};

struct AggregateSpec {
  MarkedText output;
  MarkedText function;               // lower case: "count"
  std::optional<MarkedText> column;  // absent: count(*)
};

enum class OperatorType : uint8_t { kProject, kTumblingWindow, kSessionWindow };

struct OperatorSpec {
  MarkedText name;
  bool incomplete = false;
  MarkedText input;
  OperatorType type = OperatorType::kProject;
  std::vector<ProjectedColumn> columns;  // project
  // Windows.
  int64_t size_ms = 0;
  int64_t offset_ms = 0;
  int64_t gap_ms = 0;
  std::vector<MarkedText> keys;
  std::vector<AggregateSpec> aggregates;
  MarkedText window_start;
  MarkedText window_end;
  std::optional<MarkedText> late_output;
  std::optional<int32_t> parallelism;
};

struct SinkColumnSpec {
  MarkedText target;
  MarkedText input;
  std::optional<MarkedText> path;
  TimestampSpec timestamp;
};

struct SinkSpec {
  MarkedText name;
  bool incomplete = false;
  MarkedText input;
  MarkedText connector;
  std::vector<OptionEntry> options;
  std::optional<FormatSpec> format;
  std::vector<SinkColumnSpec> columns;  // empty: all, with the same names
};

struct JobSpec {
  MarkedText name;
  std::optional<int32_t> parallelism;
  std::optional<int32_t> max_parallelism;
  int64_t checkpoint_interval_ms = 0;
  std::string checkpoint_mode;
  std::string restart_strategy;
  std::map<std::string, std::string> restart_options;
  std::vector<SourceSpec> sources;
  std::vector<OperatorSpec> operators;
  std::vector<SinkSpec> sinks;
};

}  // namespace watershed
