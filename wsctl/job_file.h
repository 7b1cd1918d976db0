// Reads and compiles a job file with the variables that apply.
#pragma once

#include <optional>
#include <string>

#include "wsctl/command_context.h"

namespace watershed {

// The text of a file; "-" is standard input. A failure kUsage says why it cannot be read.
Outcome<std::string> ReadTextFile(const std::string& path);

// The process's environment with the --env-files over it: a file names what this job shall use, the
// environment is what happens to be there.
Outcome<Variables> JobVariables(const CommandContext& context);

// A failure kUsage when the file cannot be read; what is wrong in it is in the result.
Outcome<CompileResult> CompileFile(const Variables& variables, const std::string& path);

// What submit and run need: the graph, with -p applied. Diagnostics go to the console's err; an
// error among them is a failure kUsage.
Outcome<v1::JobGraph> LoadJob(const CommandContext& context, const std::string& path);

}  // namespace watershed
