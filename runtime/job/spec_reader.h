// YAML → JobSpec: which fields exist, their types and units. Names are resolved later (resolver.h).
#pragma once

#include <optional>

#include "runtime/job/job_spec.h"
#include "runtime/job/yaml_map.h"

namespace watershed {

// Reads as much as it can; what could not be read is reported and left out. nullopt: no job at all.
std::optional<JobSpec> ReadJobSpec(const YAML::Node& document, YamlContext& context);

// One entry of `sources`, `operators` or `sinks`; marked incomplete after an error.
SourceSpec ReadSource(const YamlEntry& entry, YamlContext& context);
OperatorSpec ReadOperator(const YamlEntry& entry, YamlContext& context);
SinkSpec ReadSink(const YamlEntry& entry, YamlContext& context);

// A column's name: no "$" at the front, which is reserved for columns that the engine adds.
void CheckColumnName(const MarkedText& name, YamlContext& context);

// Pieces that sources and sinks share.
std::optional<FormatSpec> ReadFormat(YamlMap& map, YamlContext& context);
std::vector<OptionEntry> ReadOptions(YamlMap& map, YamlContext& context);
TimestampSpec ReadTimestamp(YamlMap& map, YamlContext& context);

}  // namespace watershed
