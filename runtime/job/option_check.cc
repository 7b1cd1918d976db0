#include "runtime/job/option_check.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "runtime/config/units.h"
#include "runtime/connectors/option_values.h"
#include "runtime/job/nearest_name.h"
#include "runtime/job/redact.h"
#include "runtime/job/yaml_map.h"

namespace watershed {
namespace {

std::string ShownUnlessSecret(const OptionSpec& spec, const OptionEntry& option) {
  const bool secret = spec.secret || LooksSecret(option.name.value);
  return secret ? std::string(kRedacted) : RedactUrl(Shown(option.value));
}

// The fields of source and sink that are not options: people misspell them too.
std::vector<std::string_view> KnownNames(std::span<const OptionSpec> specs, ConnectorUse use) {
  std::vector<std::string_view> names;
  for (const OptionSpec& spec : specs) {
    if (!spec.name.ends_with('*')) names.push_back(spec.name);
  }
  names.insert(names.end(), {"connector", "format", "columns"});
  if (use == ConnectorUse::kSource) {
    names.insert(names.end(), {"on-error", "watermark", "parallelism"});
  } else {
    names.push_back("input");
  }
  return names;
}

bool IsGiven(const std::vector<OptionEntry>& options, std::string_view name) {
  return std::any_of(options.begin(), options.end(), [&](const OptionEntry& option) {
    return option.name.value == name && (option.unreadable || !option.value.value.empty());
  });
}

// Messages of a connector's own check may quote values.
std::string WithoutSecrets(std::string message, const v1::Connector& connector) {
  for (const std::string& option : connector.secret_options()) {
    const std::string& value = connector.options().at(option);
    if (value.empty()) continue;
    for (size_t at = message.find(value); at != std::string::npos;
         at = message.find(value, at + kRedacted.size())) {
      message.replace(at, value.size(), kRedacted);
    }
  }
  return message;
}

void RunConnectorCheck(const ConnectorSpec& connector, ConnectorUse use, const MarkedText& node,
                       const std::vector<OptionEntry>& options, const v1::Connector& checked,
                       DiagnosticList& diagnostics) {
  if (!connector.check) return;
  const OptionMap map(checked.options().begin(), checked.options().end());
  for (const OptionProblem& problem : connector.check(map, use == ConnectorUse::kSink)) {
    Mark mark = node.mark;
    for (const OptionEntry& option : options) {
      if (option.name.value == problem.option) mark = option.value.mark;
    }
    diagnostics.Error(mark, "{}", WithoutSecrets(problem.message, checked));
  }
}

}  // namespace

const OptionSpec* FindOptionSpec(std::span<const OptionSpec> specs, std::string_view name) {
  const OptionSpec* family = nullptr;
  for (const OptionSpec& spec : specs) {
    if (spec.name == name) return &spec;
    if (!spec.name.ends_with('*')) continue;
    const std::string_view prefix = spec.name.substr(0, spec.name.size() - 1);
    if (name.starts_with(prefix) && name.size() > prefix.size()) family = &spec;
  }
  return family;
}

void CheckOptionValue(const OptionSpec& spec, const OptionEntry& option,
                      DiagnosticList& diagnostics) {
  const std::string& value = option.value.value;
  const auto wrong = [&](std::string_view expected) {
    diagnostics.Error(option.value.mark, "'{}': expected {}, found '{}'", option.name.value,
                      expected, ShownUnlessSecret(spec, option));
  };
  switch (spec.type) {
    case OptionType::kString:
      return;
    case OptionType::kInt:
      if (!ParseInt64(value)) wrong("a whole number");
      return;
    case OptionType::kBool:
      if (!ParseBool(value)) wrong("true or false");
      return;
    case OptionType::kDuration:
      if (!ParseDurationNs(value)) wrong("a duration with its unit, such as 500ms, 10s or 5min");
      return;
    case OptionType::kSize:
      if (!ParseSize(value)) wrong("a size with its unit, such as 64kb, 64mb or 1gb");
      return;
    case OptionType::kEnum:
      if (std::find(spec.choices.begin(), spec.choices.end(), value) != spec.choices.end()) return;
      diagnostics.Error(option.value.mark, "'{}': '{}' is not one of its values{}",
                        option.name.value, ShownUnlessSecret(spec, option),
                        Suggestion(spec.secret ? "" : value, spec.choices));
      return;
  }
}

const ConnectorSpec* CheckConnector(const MarkedText& name, ConnectorUse use,
                                    std::span<const ConnectorSpec> connectors,
                                    DiagnosticList& diagnostics) {
  if (name.value.empty()) return nullptr;  // its absence was reported
  const bool source = use == ConnectorUse::kSource;
  std::vector<std::string_view> usable;
  for (const ConnectorSpec& connector : connectors) {
    const bool fits = source ? connector.is_source : connector.is_sink;
    if (fits && connector.name == name.value) return &connector;
    if (fits) usable.push_back(connector.name);
  }
  for (const ConnectorSpec& connector : connectors) {
    if (connector.name != name.value) continue;
    diagnostics.Error(name.mark, "connector '{}' cannot be a {}{}", name.value,
                      source ? "source" : "sink", Suggestion("", usable));
    return nullptr;
  }
  diagnostics.Error(name.mark, "unknown connector '{}'{}", Shown(name),
                    Suggestion(name.value, usable));
  return nullptr;
}

void CheckConnectorOptions(const ConnectorSpec& connector, ConnectorUse use, const MarkedText& node,
                           const std::vector<OptionEntry>& options, DiagnosticList& diagnostics,
                           v1::Connector* out) {
  const bool source = use == ConnectorUse::kSource;
  const std::span<const OptionSpec> specs =
      source ? connector.source_options : connector.sink_options;
  const int errors_before = diagnostics.errors();
  bool unreadable = false;
  out->set_name(std::string(connector.name));
  for (const OptionEntry& option : options) {
    unreadable |= option.unreadable;
    const OptionSpec* spec = FindOptionSpec(specs, option.name.value);
    if (spec == nullptr) {
      diagnostics.Error(option.name.mark, "{} '{}': unknown option '{}' of connector '{}'{}",
                        source ? "source" : "sink", node.value, option.name.value, connector.name,
                        Suggestion(option.name.value, KnownNames(specs, use)));
      continue;
    }
    if (!option.unreadable) CheckOptionValue(*spec, option, diagnostics);
    (*out->mutable_options())[option.name.value] = option.value.value;
    if (spec->secret || option.value.from_file || LooksSecret(option.name.value)) {
      out->add_secret_options(option.name.value);
    }
  }
  for (const OptionSpec& spec : specs) {
    if (!spec.required || IsGiven(options, spec.name)) continue;
    diagnostics.Error(node.mark, "{} '{}': connector '{}' needs the option '{}'{}{}",
                      source ? "source" : "sink", node.value, connector.name, spec.name,
                      spec.description.empty() ? "" : ": ", spec.description);
  }
  // Its problems could follow from those just reported.
  if (unreadable || diagnostics.errors() > errors_before) return;
  RunConnectorCheck(connector, use, node, options, *out, diagnostics);
}

}  // namespace watershed
