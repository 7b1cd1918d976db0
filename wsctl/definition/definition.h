// The command line as it is defined: verbs, arguments, options and help, once. Help, completion and
// the reference page come from it (model.h). CLI11 is known to this folder and command_line.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wsctl/commands/commands.h"

namespace watershed {

using Verb = std::function<Outcome<void>(const CommandContext&)>;

// What was typed; each verb reads its own.
struct Arguments {
  std::string output;
  std::string timeout;
  int32_t parallelism = 0;
  std::vector<std::string> files;
  std::string file;
  std::string checkpoint_directory;
  std::string job;
  bool bounded = false;
  RestoreFrom restore;
  std::string submit_wait;
  GetOptions get;
  StopOptions stop;
  std::string wait = "true";  // of cancel and stop
  bool detached = false;
  std::string savepoint_directory;
  std::string disposed;
  LogsOptions logs;
  std::string log_level;
  std::string task_manager;
  bool once = false;
  std::string process;
  std::string shell;
  bool cluster = false;
  std::string help_about;
  std::string page;
  std::string candidates_of;
};

class CommandDefinition {
 public:
  // `options` are filled in by parsing, as far as CLI11 knows their types.
  explicit CommandDefinition(GlobalOptions& options);
  CommandDefinition(const CommandDefinition&) = delete;
  CommandDefinition& operator=(const CommandDefinition&) = delete;

  CLI::App& app() { return app_; }
  const Verb& verb() const { return verb_; }  // of the line that was parsed; may be empty
  const Arguments& arguments() const { return arguments_; }

 private:
  void AddGlobalOptions(GlobalOptions& options);
  void AddJobFileVerbs();    // job_file_verbs.cc
  void AddJobVerbs();        // job_verbs.cc
  void AddSavepointVerbs();  // job_verbs.cc
  void AddWatchVerbs();      // watch_verbs.cc
  void AddOtherVerbs();      // other_verbs.cc
  void AddRestoreOptions(CLI::App* submit);
  void AddWaitOptions(CLI::App* verb);
  bool waits() const { return arguments_.wait == "true" && !arguments_.detached; }

  // `examples`: a line each. An empty group hides the verb from help.
  CLI::App* AddVerb(const std::string& group, const std::string& name,
                    const std::string& description, std::initializer_list<const char*> examples,
                    Verb verb);

  CLI::App app_{"", "wsctl"};
  Arguments arguments_;
  Verb verb_;
};

// One of "a|b|c", as the option's type name says; what is none of them is told with the nearest.
CLI::Option* WithChoices(CLI::Option* option, const std::string& choices);
std::vector<std::string> ChoicesOf(std::string_view choices);  // split at '|'

// Flink's upper bound of a maximum parallelism.
inline constexpr int kParallelismMax = 32768;
inline constexpr const char* kJobArgument = "Job id, its beginning, or a unique name";

}  // namespace watershed
