#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/formats/format_options.h"
#include "runtime/formats/timestamp_pattern.h"
#include "runtime/job/nearest_name.h"
#include "runtime/job/node_resolver.h"
#include "runtime/job/option_check.h"
#include "runtime/job/yaml_map.h"

namespace watershed {
namespace {

std::vector<std::string_view> FormatNames() {
  std::vector<std::string_view> names;
  for (const FormatDescription& format : AllFormats()) names.push_back(format.name);
  return names;
}

v1::TimestampFormat::EpochUnit EpochUnitOf(const std::string& name) {
  if (name == "s") return v1::TimestampFormat::SECONDS;
  return name == "ms" ? v1::TimestampFormat::MILLISECONDS : v1::TimestampFormat::MICROSECONDS;
}

void ResolveFormatOptions(const FormatDescription& info, const std::vector<OptionEntry>& options,
                          std::string_view what, DiagnosticList& diagnostics, v1::Format* format) {
  const int errors_before = diagnostics.errors();
  bool unreadable = false;
  for (const OptionEntry& option : options) {
    unreadable |= option.unreadable;
    const OptionSpec* known = FindOptionSpec(info.options, option.name.value);
    if (known == nullptr) {
      std::vector<std::string_view> names = {"type"};
      for (const OptionSpec& other : info.options) names.push_back(other.name);
      diagnostics.Error(option.name.mark, "{}: unknown option '{}' of format '{}'{}", what,
                        option.name.value, info.name, Suggestion(option.name.value, names));
      continue;
    }
    if (!option.unreadable) CheckOptionValue(*known, option, diagnostics);
    (*format->mutable_options())[option.name.value] = option.value.value;
  }
  // Its problems could follow from those just reported.
  if (unreadable || diagnostics.errors() > errors_before || !info.check) return;
  const OptionMap map(format->options().begin(), format->options().end());
  for (const OptionProblem& problem : info.check(map)) {
    const auto found = std::ranges::find_if(
        options, [&](const OptionEntry& option) { return option.name.value == problem.option; });
    diagnostics.Error(found->value.mark, "{}: {}", what, problem.message);
  }
}

}  // namespace

void ResolveFormat(const std::optional<FormatSpec>& spec, const ConnectorSpec& connector,
                   ConnectorUse use, const MarkedText& node, ResolveContext& context,
                   v1::Format* format) {
  const std::string what =
      fmt::format("{} '{}'", use == ConnectorUse::kSource ? "source" : "sink", node.value);
  if (!spec) {
    if (!connector.needs_format) return;
    context.diagnostics.Error(node.mark, "{}: connector '{}' needs a 'format', such as json", what,
                              connector.name);
    return;
  }
  if (spec->name.value.empty()) return;
  if (!connector.needs_format) {
    context.diagnostics.Error(spec->name.mark, "{}: connector '{}' has no 'format'; remove it",
                              what, connector.name);
    return;
  }
  const FormatDescription* info = FindFormat(spec->name.value);
  if (info == nullptr) {
    context.diagnostics.Error(spec->name.mark, "{}: unknown format '{}'{}", what, Shown(spec->name),
                              Suggestion(spec->name.value, FormatNames()));
    return;
  }
  if (use == ConnectorUse::kSource && !info->is_decoded) {
    context.diagnostics.Error(spec->name.mark,
                              "{}: format '{}' can only be written, by sinks; a source reads json",
                              what, info->name);
    return;
  }
  format->set_name(spec->name.value);
  ResolveFormatOptions(*info, spec->options, what, context.diagnostics, format);
}

void ResolvePayloadColumn(const MarkedText& column, DataType type,
                          const std::optional<MarkedText>& path, const TimestampSpec& timestamp,
                          ResolveContext& context, v1::Format* format) {
  const std::optional<MarkedText>& how = timestamp.pattern ? timestamp.pattern : timestamp.epoch;
  if (how && type.kind != TypeKind::kTimestampMs) {
    context.diagnostics.Error(how->mark, "column '{}': only timestamps have a '{}', this is a {}",
                              column.value, timestamp.pattern ? "pattern" : "epoch", NameOf(type));
    return;
  }
  if (!how && !path) return;
  if (format->name().empty()) {
    context.diagnostics.Error((how ? how : path)->mark,
                              "column '{}': '{}' needs a 'format'; without one there is no payload",
                              column.value,
                              !how                ? "path"
                              : timestamp.pattern ? "pattern"
                                                  : "epoch");
    return;
  }
  if (timestamp.pattern) {
    const auto compiled = TimestampPattern::Compile(timestamp.pattern->value);
    if (!compiled) {
      context.diagnostics.Error(timestamp.pattern->mark, "column '{}': {}", column.value,
                                compiled.error().message);
      return;
    }
  }
  v1::FormatColumn* out = format->add_columns();
  out->set_column(column.value);
  if (path) out->set_path(path->value);
  if (timestamp.pattern) out->mutable_timestamp()->set_pattern(timestamp.pattern->value);
  if (timestamp.epoch) out->mutable_timestamp()->set_epoch(EpochUnitOf(timestamp.epoch->value));
}

}  // namespace watershed
