#include "wsctl/sink_guarantee.h"

#include <fmt/format.h>

#include "runtime/config/units.h"

namespace watershed {

SinkGuarantee GuaranteeOf(const v1::JobGraph& graph, const v1::SinkNode& sink) {
  const ConnectorSpec* connector = FindConnector(sink.connector().name());
  if (connector == nullptr) return {};
  const OptionMap options(sink.connector().options().begin(), sink.connector().options().end());
  SinkGuarantee guarantee = connector->sink_guarantee(options);
  if (graph.checkpointing().interval_ms() == 0 && guarantee.delivery != "none") {
    guarantee = {"none",
                 "the job takes no checkpoints, so after a failure rows may be missing or come "
                 "twice; with 'checkpointing: { interval: 10s }' none is missing"};
  }
  return guarantee;
}

std::string LatencyOf(const v1::JobGraph& graph, const SinkGuarantee& guarantee) {
  if (!guarantee.visible_at_checkpoint) return "as soon as its batch is written";
  return fmt::format(
      "when the next checkpoint is complete: within {} and a checkpoint's own time",
      FormatDuration(std::chrono::milliseconds(graph.checkpointing().interval_ms())));
}

}  // namespace watershed
