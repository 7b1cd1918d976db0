#include "runtime/connectors/print/options.h"

namespace watershed {

ConnectorSpec PrintSpec() {
  return {
      .name = "print",
      .is_sink = true,
      .sink_options = {{.name = "print-identifier",
                        .description = "Put before every row, to tell several print sinks apart"}},
      .sink_guarantee =
          [](const OptionMap&) {
            return SinkGuarantee{"none", "rows are printed as they come, again after a restart"};
          },
  };
}

}  // namespace watershed
