// The verbs, one file each. Every function writes its result to the console and returns how it
// ended; the command line prints the failure's message and exits with its code.
#pragma once

#include <string>
#include <vector>

#include "watershed/v1/control.pb.h"
#include "wsctl/command_context.h"

namespace watershed {

Outcome<void> LintCommand(const CommandContext& context, const std::vector<std::string>& files);
// The plan, and what its sinks promise.
Outcome<void> ExplainCommand(const CommandContext& context, const std::string& file);
// With a directory, also whether checkpoints can be written there.
Outcome<void> DoctorCommand(const CommandContext& context, const std::vector<std::string>& files,
                            const std::string& checkpoint_directory);
// What to begin with; an empty path: nothing.
struct RestoreFrom {
  std::string path;
  bool fork = false;
  bool allow_drained = false;
  bool allow_non_restored_state = false;
  bool allow_duplicates = false;
};
// Until all its tasks run, or until it has ended by itself; not the one waited for is a failure.
enum class SubmitWait : uint8_t { kNo, kRunning, kFinished };
Outcome<void> SubmitCommand(const CommandContext& context, const std::string& file,
                            const RestoreFrom& from, SubmitWait wait);
struct GetOptions {
  // As typed: "jobs", "checkpoints session", "session".
  std::string kind;
  std::string name;
  bool all = false;    // ended jobs too
  bool watch = false;  // until Ctrl-C, --timeout, or the end of the one job that was named
};
Outcome<void> GetCommand(const CommandContext& context, const GetOptions& options);
// With `wait`, returns when the job has ended.
Outcome<void> CancelCommand(const CommandContext& context, const std::string& job, bool wait);
// These wait until what was asked for is there. An empty directory is the JobManager's setting.
Outcome<void> CheckpointCommand(const CommandContext& context, const std::string& job);
Outcome<void> SavepointCommand(const CommandContext& context, const std::string& job,
                               const std::string& directory);
struct StopOptions {
  std::string directory;
  bool drain = false;
  bool wait = true;  // false: returns when the stop is durable
};
Outcome<void> StopCommand(const CommandContext& context, const std::string& job,
                          const StopOptions& options);
Outcome<void> DisposeCommand(const CommandContext& context, const std::string& path);
struct LogsOptions {
  std::string process;  // "jobmanager", a TaskManager; empty: all
  bool follow = false;  // until Ctrl-C or --timeout
  std::string job;
  std::string vertex;  // the beginning of its name
  int subtask = -1;    // -1: any
  int tail = -1;       // only so many lines, the newest; -1: all
  std::string since;   // a duration
  std::string level;   // the least; empty: all
};
Outcome<void> LogsCommand(const CommandContext& context, const LogsOptions& options);
// Of one job, or of all that have not ended; or of a TaskManager.
Outcome<void> MetricsCommand(const CommandContext& context, const std::string& job,
                             const std::string& task_manager);
// Redraws until Ctrl-C or --timeout; `once`, or without a terminal: the same as metrics.
Outcome<void> TopCommand(const CommandContext& context, const std::string& job, bool once);
// With an empty level, says it only.
Outcome<void> LogLevelCommand(const CommandContext& context, const std::string& level,
                              const std::string& process);
Outcome<void> RunCommand(const CommandContext& context, const std::string& file, bool bounded);
// With `cluster`, the JobManager's version too.
Outcome<void> VersionCommand(const CommandContext& context, bool cluster);
// The values that a shell can complete: "jobs" (names and ids), "running-jobs" (those that have
// not ended), "taskmanagers"; silent when the
// cluster does not answer at once.
Outcome<void> CandidatesCommand(const CommandContext& context, const std::string& kind);

// What several of them say of a job: "Job … (session) is CANCELED.", with the reason of its status
// "Job … (session) is RUNNING: being stopped …."
void PrintJobState(const CommandContext& context, const v1::JobSummary& job,
                   bool with_reason = false);

}  // namespace watershed
