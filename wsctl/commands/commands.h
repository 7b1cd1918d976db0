// The verbs, one file each. Every function writes its result to the console and returns how it
// ended; the command line prints the failure's message and exits with its code.
#pragma once

#include <string>
#include <vector>

#include "wsctl/command_context.h"

namespace watershed {

Outcome<void> LintCommand(const CommandContext& context, const std::vector<std::string>& files);
// What to begin with; an empty path: nothing.
struct RestoreFrom {
  std::string path;
  bool fork = false;
  bool allow_drained = false;
  bool allow_non_restored_state = false;
};
Outcome<void> SubmitCommand(const CommandContext& context, const std::string& file,
                            const RestoreFrom& from);
Outcome<void> ListCommand(const CommandContext& context, bool all);
Outcome<void> GetCommand(const CommandContext& context, const std::string& job);
// Waits until the job has ended unless `detached`.
Outcome<void> CancelCommand(const CommandContext& context, const std::string& job, bool detached);
// These wait until what was asked for is there. An empty directory is the JobManager's setting.
Outcome<void> CheckpointCommand(const CommandContext& context, const std::string& job);
Outcome<void> SavepointCommand(const CommandContext& context, const std::string& job,
                               const std::string& directory);
Outcome<void> StopCommand(const CommandContext& context, const std::string& job,
                          const std::string& directory, bool drain);
Outcome<void> DisposeCommand(const CommandContext& context, const std::string& path);
Outcome<void> RunCommand(const CommandContext& context, const std::string& file, bool bounded);
// With `cluster`, the JobManager's version too.
Outcome<void> VersionCommand(const CommandContext& context, bool cluster);

}  // namespace watershed
