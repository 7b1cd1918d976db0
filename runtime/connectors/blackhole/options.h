// What job files may say of the `blackhole` sink.
#pragma once

#include "runtime/connectors/connector.h"

namespace watershed {

ConnectorSpec BlackholeSpec();

}  // namespace watershed
