// The command line as a function: what main calls and tests call. CLI11 stays in command_line.cc.
#pragma once

#include <string>
#include <vector>

#include "wsctl/command_context.h"

namespace watershed {

// `arguments` without the program's name. `context.options` is filled in from them. Never throws:
// what goes wrong is one line on the console's err and an exit code.
int RunCommandLine(const std::vector<std::string>& arguments, CommandContext context);

}  // namespace watershed
