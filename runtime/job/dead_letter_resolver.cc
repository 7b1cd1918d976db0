#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "runtime/connectors/option_values.h"
#include "runtime/job/node_resolver.h"
#include "runtime/types/dead_letter.h"

namespace watershed {
namespace {

constexpr std::string_view kConnector = "kafka";
constexpr std::string_view kTopic = "topic";
constexpr std::string_view kServers = "properties.bootstrap.servers";
constexpr std::string_view kKeyFields = "key.fields";

const OptionEntry* Find(const std::vector<OptionEntry>& options, std::string_view name) {
  const auto found = std::ranges::find_if(
      options, [&](const OptionEntry& option) { return option.name.value == name; });
  return found == options.end() ? nullptr : &*found;
}

// What it takes to reach the brokers, and to be let in. A consumer's other properties mean nothing
// to a producer.
bool IsOfConnection(std::string_view option) {
  constexpr std::array<std::string_view, 8> kPrefixes = {
      kServers,
      "properties.broker.address.",
      "properties.security.",
      "properties.sasl.",
      "properties.ssl.",
      "properties.https.",
      "properties.enable.ssl.",
      "properties.enable.sasl.",
  };
  return std::ranges::any_of(kPrefixes,
                             [&](std::string_view prefix) { return option.starts_with(prefix); });
}

// Other brokers are given nothing of the source's: its password is not for them.
std::vector<OptionEntry> SinkOptionsOf(const SourceSpec& spec) {
  std::vector<OptionEntry> options = spec.on_error->options;
  if (Find(options, kServers) != nullptr) return options;
  for (const OptionEntry& option : spec.options) {
    if (!IsOfConnection(option.name.value) || Find(options, option.name.value) != nullptr) continue;
    options.push_back(option);
  }
  return options;
}

// Whether all is well so far.
bool CheckDeadLetters(const SourceSpec& spec, ResolveContext& context) {
  const OnErrorSpec& on_error = *spec.on_error;
  const std::string what = fmt::format("source '{}': 'on-error'", spec.name.value);
  if (spec.connector.value != kConnector) {
    if (!spec.connector.value.empty()) {
      context.diagnostics.Error(on_error.mark,
                                "{}: dead letters are records of a kafka source; connector '{}' "
                                "has none",
                                what, spec.connector.value);
    }
    return false;
  }
  const OptionEntry* const topic = Find(on_error.options, kTopic);
  if (topic == nullptr) {
    context.diagnostics.Error(on_error.mark,
                              "{}: action dead-letter needs 'topic', the topic that takes the "
                              "records that cannot be used",
                              what);
    return false;
  }
  if (const OptionEntry* keys = Find(on_error.options, kKeyFields); keys != nullptr) {
    context.diagnostics.Error(keys->name.mark, "{}: dead letters keep their keys; remove '{}'",
                              what, kKeyFields);
    return false;
  }
  const OptionEntry* const read = Find(spec.options, kTopic);
  if (read == nullptr || Find(on_error.options, kServers) != nullptr) return true;
  const std::vector<std::string> topics = SplitList(read->value.value, ';');
  if (std::ranges::find(topics, topic->value.value) == topics.end()) return true;
  context.diagnostics.Error(topic->value.mark,
                            "{}: topic '{}' is what the source reads: it would read its dead "
                            "letters again and again. Name another topic",
                            what, topic->value.value);
  return false;
}

}  // namespace

MarkedText DeadLetterSinkName(const SourceSpec& spec) {
  return {spec.name.value + "-dead-letters", spec.on_error->mark};
}

void ResolveDeadLetters(const SourceSpec& spec, ResolveContext& context, v1::SinkNode* node) {
  const MarkedText name = DeadLetterSinkName(spec);
  node->set_name(name.value);
  node->mutable_input()->set_node(spec.name.value);
  node->mutable_input()->set_side_output(std::string(kDeadLetterOutput));
  if (!CheckDeadLetters(spec, context)) return;
  const auto connector = std::ranges::find_if(
      context.connectors, [](const ConnectorSpec& known) { return known.name == kConnector; });
  if (connector == context.connectors.end() || !connector->is_sink) return;
  CheckConnectorOptions(*connector, ConnectorUse::kSink, name, SinkOptionsOf(spec),
                        context.diagnostics, node->mutable_connector());
}

}  // namespace watershed
