// Tells scripts and tests which ports a process that was given port 0 has bound.
#pragma once

#include <map>
#include <string>

#include "runtime/types/result.h"

namespace watershed {

// Writes {"rpc": 41234, …} in one step: who sees the file sees all of it. An empty path does
// nothing.
Status WritePortsFile(const std::string& path, const std::map<std::string, int>& ports);

}  // namespace watershed
