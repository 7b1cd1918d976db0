// metrics, top, logs, log-level: verbs about what a cluster does.
#include "wsctl/definition/definition.h"

namespace watershed {
namespace {

constexpr const char* kGroup = "What a cluster does";
constexpr const char* kLevels = "trace|debug|info|warn|error";
constexpr const char* kProcess =
    "jobmanager, or a TaskManager's id or its beginning; all if none is named";

}  // namespace

void CommandDefinition::AddWatchVerbs() {
  CLI::App* metrics = AddVerb(
      kGroup, "metrics", "Show what jobs do per second, or what a TaskManager's memory is used for",
      {"wsctl metrics session", "wsctl metrics -o json          # all jobs that have not ended",
       "wsctl metrics --taskmanager 127.0.0.1"},
      [this](const CommandContext& c) {
        return MetricsCommand(c, arguments_.job, arguments_.task_manager);
      });
  CLI::Option* job = metrics->add_option("JOB", arguments_.job, kJobArgument);
  metrics
      ->add_option("--taskmanager", arguments_.task_manager,
                   "Of this TaskManager: its id or its beginning")
      ->type_name("TASKMANAGER")
      ->excludes(job);
  CLI::App* top = AddVerb(
      kGroup, "top", "Watch jobs: rates, how busy each vertex is, watermarks, checkpoints",
      {"wsctl top", "wsctl top session -o wide", "wsctl top --once > figures.txt"},
      [this](const CommandContext& c) { return TopCommand(c, arguments_.job, arguments_.once); });
  top->add_option("JOB", arguments_.job, kJobArgument);
  top->add_flag("--once", arguments_.once, "Print once and end, as without a terminal");
  LogsOptions& options = arguments_.logs;
  CLI::App* logs =
      AddVerb(kGroup, "logs", "Show what the JobManager and the TaskManagers have logged",
              {"wsctl logs --tail 20", "wsctl logs -f --job session",
               "wsctl logs --job session --subtask 1 --level warn --since 10min",
               "wsctl logs jobmanager -o json | jq -r .message"},
              [this](const CommandContext& c) { return LogsCommand(c, arguments_.logs); });
  logs->add_option("PROCESS", options.process, kProcess);
  logs->add_flag("-f,--follow", options.follow, "Go on with what they log, until Ctrl-C");
  logs->add_option("--job", options.job, "Only lines about this job")->type_name("JOB");
  logs->add_option("--vertex", options.vertex, "Only of the vertices whose name begins so")
      ->type_name("NAME");
  logs->add_option("--subtask", options.subtask, "Only of this subtask")
      ->check(CLI::Range(0, kParallelismMax).description(""))
      ->type_name("N");
  logs->add_option("--tail", options.tail, "Only so many lines, the newest")
      ->check(CLI::Range(0, 1'000'000).description(""))
      ->type_name("N");
  logs->add_option("--since", options.since, "Only lines newer than this, such as 10min")
      ->type_name("DURATION");
  WithChoices(logs->add_option("--level", options.level, "Only lines at least so severe"), kLevels);
  CLI::App* level =
      AddVerb(kGroup, "log-level", "Show or change how much the processes log, while they run",
              {"wsctl log-level", "wsctl log-level debug jobmanager", "wsctl log-level info"},
              [this](const CommandContext& c) {
                return LogLevelCommand(c, arguments_.log_level, arguments_.process);
              });
  WithChoices(level->add_option("LEVEL", arguments_.log_level,
                                "The least severe level that is logged; shown if none is named"),
              kLevels);
  level->add_option("PROCESS", arguments_.process, kProcess);
}

}  // namespace watershed
