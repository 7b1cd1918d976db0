// What a bad disk does to what lies on it.
#pragma once

#include <string>

#include "tests/sim/cluster.h"

namespace watershed::sim {

// Changes a bit of, cuts or removes the manifest of the newest complete checkpoint or a file that
// it names, and tells the observer. What it did, for people; empty: there is none.
std::string DamageNewestCheckpoint(Cluster* cluster);

}  // namespace watershed::sim
