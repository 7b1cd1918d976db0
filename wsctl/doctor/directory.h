// A directory that a cluster is to write to, as doctor examines it.
#pragma once

#include <string>

#include "runtime/types/result.h"

namespace watershed {

// Whether this process could write to what the storage URI names, or make it. Leaves nothing.
Status CheckWritable(const std::string& uri);

}  // namespace watershed
