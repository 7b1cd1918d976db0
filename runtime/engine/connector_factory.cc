#include "runtime/engine/connector_factory.h"

#include <utility>

namespace watershed {
namespace {

class Registry final : public ConnectorFactory {
 public:
  Result<std::unique_ptr<SplitEnumerator>> MakeSplitEnumerator(
      const v1::Connector& connector, const ConnectorContext& context) const override {
    return watershed::MakeSplitEnumerator(connector, context);
  }
  Result<std::unique_ptr<Source>> MakeSource(const v1::Connector& connector, SchemaPtr schema,
                                             const ConnectorContext& context) const override {
    return watershed::MakeSource(connector, std::move(schema), context);
  }
  Result<std::unique_ptr<Sink>> MakeSink(const v1::Connector& connector, SchemaPtr schema,
                                         std::unique_ptr<Encoder> encoder,
                                         const ConnectorContext& context) const override {
    return watershed::MakeSink(connector, std::move(schema), std::move(encoder), context);
  }
};

}  // namespace

const ConnectorFactory& BuiltInConnectors() {
  static const Registry registry;
  return registry;
}

}  // namespace watershed
