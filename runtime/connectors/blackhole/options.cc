#include "runtime/connectors/blackhole/options.h"

namespace watershed {

ConnectorSpec BlackholeSpec() {
  return {
      .name = "blackhole",
      .is_sink = true,
      .sink_guarantee =
          [](const OptionMap&) {
            return SinkGuarantee{"none", "rows are counted and thrown away"};
          },
  };
}

}  // namespace watershed
