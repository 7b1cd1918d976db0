// What job files may say of the `print` sink.
#pragma once

#include "runtime/connectors/connector.h"

namespace watershed {

ConnectorSpec PrintSpec();

}  // namespace watershed
