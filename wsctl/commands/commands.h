// The verbs, one file each. Every function writes its result to the console and returns how it
// ended; the command line prints the failure's message and exits with its code.
#pragma once

#include <string>
#include <vector>

#include "wsctl/command_context.h"

namespace watershed {

Outcome<void> LintCommand(const CommandContext& context, const std::vector<std::string>& files);
// `restore_path`: the checkpoint to begin with; empty: none.
Outcome<void> SubmitCommand(const CommandContext& context, const std::string& file,
                            const std::string& restore_path);
Outcome<void> ListCommand(const CommandContext& context, bool all);
Outcome<void> GetCommand(const CommandContext& context, const std::string& job);
// Waits until the job has ended unless `detached`.
Outcome<void> CancelCommand(const CommandContext& context, const std::string& job, bool detached);
Outcome<void> RunCommand(const CommandContext& context, const std::string& file, bool bounded);
// With `cluster`, the JobManager's version too.
Outcome<void> VersionCommand(const CommandContext& context, bool cluster);

}  // namespace watershed
