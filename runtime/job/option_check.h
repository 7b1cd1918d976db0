// Checks options of connectors against their lists and puts them into the graph.
#pragma once

#include <span>
#include <string>

#include "runtime/connectors/connector.h"
#include "runtime/job/diagnostic_list.h"
#include "runtime/job/job_spec.h"
#include "watershed/v1/types.pb.h"

namespace watershed {

enum class ConnectorUse : uint8_t { kSource, kSink };

// Finds the connector and checks that it can be used so; nullptr after an error.
const ConnectorSpec* CheckConnector(const MarkedText& name, ConnectorUse use,
                                    std::span<const ConnectorSpec> connectors,
                                    DiagnosticList& diagnostics);

// Unknown and missing options, values of the wrong type, and the connector's own check. `node`
// names source or sink in messages, `node_mark` is where a missing option is reported.
void CheckConnectorOptions(const ConnectorSpec& connector, ConnectorUse use, const MarkedText& node,
                           const std::vector<OptionEntry>& options, DiagnosticList& diagnostics,
                           v1::Connector* out);

// The entry of the list for this name, families ("properties.*") included; nullptr if unknown.
const OptionSpec* FindOptionSpec(std::span<const OptionSpec> specs, std::string_view name);

// Reports a value that is not of the option's type. Values of secrets are not shown.
void CheckOptionValue(const OptionSpec& spec, const OptionEntry& option,
                      DiagnosticList& diagnostics);

}  // namespace watershed
