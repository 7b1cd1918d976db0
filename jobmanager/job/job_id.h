// New job ids.
#pragma once

#include "runtime/types/ids.h"

namespace watershed {

JobId RandomJobId();  // 128 random bits

}  // namespace watershed
