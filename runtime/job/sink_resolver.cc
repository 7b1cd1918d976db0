#include "runtime/job/node_resolver.h"

namespace watershed {
namespace {

void ResolveColumns(const SinkSpec& spec, const Schema& input, ResolveContext& context,
                    v1::SinkNode* node) {
  const std::string what = fmt::format("sink '{}'", spec.name.value);
  for (const SinkColumnSpec& column : spec.columns) {
    const auto index = FindColumn(input, column.input, what, context.diagnostics);
    if (!index) continue;
    v1::Project::Column* out = node->add_columns();
    out->set_output(column.target.value);
    out->set_input(column.input.value);
    ResolvePayloadColumn(column.target, input.field(*index).type, column.path, column.timestamp,
                         context, node->mutable_format());
  }
}

// A sink that says nothing promises what it can; one that promises must be able to keep it.
void CheckPromise(const SinkSpec& spec, ResolveContext& context) {
  if (context.takes_checkpoints) return;
  for (const OptionEntry& option : spec.options) {
    if (option.name.value != "delivery" || option.value.value != "exactly-once") continue;
    context.diagnostics.Error(option.value.mark,
                              "sink '{}': exactly-once needs checkpoints, and this job takes none: "
                              "add 'checkpointing: {{ "
                              "interval: 10s }}' to the job, or write no 'delivery'",
                              spec.name.value);
  }
}

}  // namespace

void ResolveSink(const SinkSpec& spec, ResolveContext& context, v1::SinkNode* node) {
  node->set_name(spec.name.value);
  if (spec.format) node->mutable_format()->set_name(spec.format->name.value);
  const ConnectorSpec* connector =
      CheckConnector(spec.connector, ConnectorUse::kSink, context.connectors, context.diagnostics);
  if (connector != nullptr) {
    CheckConnectorOptions(*connector, ConnectorUse::kSink, spec.name, spec.options,
                          context.diagnostics, node->mutable_connector());
    CheckPromise(spec, context);
    ResolveFormat(spec.format, *connector, ConnectorUse::kSink, spec.name, context,
                  node->mutable_format());
  }
  const Stream* input = context.streams.Use(spec.input, fmt::format("sink '{}'", spec.name.value));
  if (input == nullptr || !input->schema) return;
  *node->mutable_input() = input->ref;
  ResolveColumns(spec, *input->schema, context, node);
}

}  // namespace watershed
