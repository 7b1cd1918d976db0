// Splits on the wire (control.proto) and in the engine.
#pragma once

#include "runtime/connectors/source.h"

namespace watershed {

namespace v1 {
class Split;
}

v1::Split ToProto(const SourceSplit& split);
SourceSplit FromProto(const v1::Split& split);

}  // namespace watershed
