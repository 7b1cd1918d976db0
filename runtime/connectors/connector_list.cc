#include <array>
#include <vector>

#include "runtime/connectors/blackhole/options.h"
#include "runtime/connectors/connector.h"
#include "runtime/connectors/datagen/options.h"
#include "runtime/connectors/filesystem/options.h"
#include "runtime/connectors/kafka/options.h"
#include "runtime/connectors/postgres/options.h"
#include "runtime/connectors/print/options.h"

namespace watershed {

std::span<const ConnectorSpec> AllConnectors() {
  static const std::array<ConnectorSpec, 6> kConnectors = {
      BlackholeSpec(), DatagenSpec(), FilesystemSpec(), KafkaSpec(), PostgresSpec(), PrintSpec(),
  };
  return kConnectors;
}

const ConnectorSpec* FindConnector(std::string_view name) {
  for (const ConnectorSpec& connector : AllConnectors()) {
    if (connector.name == name) return &connector;
  }
  return nullptr;
}

}  // namespace watershed
