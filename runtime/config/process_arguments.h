// The command line that jobmanager and taskmanager share.
#pragma once

#include <string>

#include "runtime/config/config.h"
#include "runtime/types/result.h"

namespace watershed {

struct ProcessArguments {
  Config config;
  std::string ports_file;  // where to write the bound ports as JSON when ready; empty = nowhere
  bool help = false;       // print ProcessUsage and exit 0
  bool version = false;
};

// --config FILE, -Dkey=value (also "-D key=value"), --ports-file FILE, --help, --version.
Result<ProcessArguments> ParseProcessArguments(int argc, const char* const* argv);
std::string ProcessUsage(std::string_view program, uint8_t process);

}  // namespace watershed
