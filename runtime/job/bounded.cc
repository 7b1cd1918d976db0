#include "runtime/job/compile.h"
#include "runtime/job/option_check.h"

namespace watershed {
namespace {

constexpr const char* kBoundedMode = "scan.bounded.mode";
constexpr const char* kBoundedTimestamp = "scan.bounded.timestamp-millis";
constexpr const char* kNumberOfRows = "number-of-rows";

}  // namespace

Status MakeBounded(v1::JobGraph& graph) {
  for (v1::SourceNode& source : *graph.mutable_sources()) {
    auto& options = *source.mutable_connector()->mutable_options();
    const ConnectorSpec* connector = FindConnector(source.connector().name());
    if (connector == nullptr) {
      return UserError("source '{}': unknown connector '{}'", source.name(),
                       source.connector().name());
    }
    if (FindOptionSpec(connector->source_options, kBoundedMode) != nullptr) {
      options[kBoundedMode] = "latest-offset";
      options.erase(kBoundedTimestamp);
    } else if (!options.contains(kNumberOfRows)) {
      return UserError(
          "source '{}': connector '{}' has no end by itself; give it '{}' to run the job bounded",
          source.name(), connector->name, kNumberOfRows);
    }
  }
  return Ok();
}

}  // namespace watershed
