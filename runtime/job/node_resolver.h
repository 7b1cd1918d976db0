// Resolves one node of a job each; resolver.h calls them in topological order.
#pragma once

#include <span>

#include "runtime/connectors/connector.h"
#include "runtime/job/diagnostic_list.h"
#include "runtime/job/job_spec.h"
#include "runtime/job/option_check.h"
#include "runtime/job/streams.h"
#include "watershed/v1/job_graph.pb.h"

namespace watershed {

struct ResolveContext {
  DiagnosticList& diagnostics;
  std::span<const ConnectorSpec> connectors;
  Streams& streams;
  bool takes_checkpoints = false;
};

// Each fills `node` and, where everything could be resolved, the schemas of the node's streams.
void ResolveSource(const SourceSpec& spec, ResolveContext& context, v1::SourceNode* node);
void ResolveOperator(const OperatorSpec& spec, ResolveContext& context, v1::OperatorNode* node);
void ResolveSink(const SinkSpec& spec, ResolveContext& context, v1::SinkNode* node);

// Of a source whose on-error is dead-letter: the sink that takes them, under a name of its own.
MarkedText DeadLetterSinkName(const SourceSpec& spec);
void ResolveDeadLetters(const SourceSpec& spec, ResolveContext& context, v1::SinkNode* node);

// Checks `format` against what the connector needs, and fills it; `node` is "source 'events'".
void ResolveFormat(const std::optional<FormatSpec>& spec, const ConnectorSpec& connector,
                   ConnectorUse use, const MarkedText& node, ResolveContext& context,
                   v1::Format* format);

// How a column is written in the payload. Reports what does not go with its type, or with a
// connector that has no payload (`format_name` empty). Adds nothing where all is as usual.
void ResolvePayloadColumn(const MarkedText& column, DataType type,
                          const std::optional<MarkedText>& path, const TimestampSpec& timestamp,
                          ResolveContext& context, v1::Format* format);

}  // namespace watershed
