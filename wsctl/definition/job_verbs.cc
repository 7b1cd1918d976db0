// list, get, cancel, stop, savepoint, checkpoint: verbs about jobs of a cluster.
#include "wsctl/definition/definition.h"

namespace watershed {
namespace {

constexpr const char* kGroup = "Jobs of a cluster";
constexpr const char* kSavepointDirectory =
    "Where to; default: the JobManager's execution.checkpointing.savepoint-dir";

}  // namespace

void CommandDefinition::AddJobVerbs() {
  GetOptions& get = arguments_.get;
  CLI::App* list = AddVerb(kGroup, "list", "List the jobs that have not ended: get jobs",
                           {"wsctl list", "wsctl list -a -o json"}, [&](const CommandContext& c) {
                             return GetCommand(c, {.kind = "jobs", .all = get.all});
                           });
  list->add_flag("-a,--all", get.all, "Ended jobs too");
  CLI::App* show = AddVerb(
      kGroup, "get",
      "Show jobs, one job, its checkpoints, vertices or subtasks, or the TaskManagers",
      {"wsctl get session                     # state, why it waits or failed, figures",
       "wsctl get jobs --all -o wide", "wsctl get jobs -o name | xargs -n 1 wsctl cancel",
       "wsctl get session --watch             # a line for every change, until it has ended",
       "wsctl get checkpoints session -o json", "wsctl get subtasks session",
       "wsctl get taskmanagers"},
      [&](const CommandContext& c) { return GetCommand(c, get); });
  show->add_option("KIND", get.kind,
                   "jobs, job, checkpoints, vertices, subtasks or taskmanagers; or at once a JOB");
  show->add_option("NAME", get.name, "The job (checkpoints, vertices, subtasks) or TaskManager");
  show->add_flag("-a,--all", get.all, "Ended jobs too (jobs)");
  show->add_flag("-w,--watch", get.watch,
                 "Go on and print what changes, until Ctrl-C, or until the job that was named has "
                 "ended (exit code 1 if it has FAILED)");
  CLI::App* cancel = AddVerb(
      kGroup, "cancel", "Cancel a job and wait until it has ended",
      {"wsctl cancel session", "wsctl cancel 3f2a --timeout 1min", "wsctl cancel -d session"},
      [this](const CommandContext& c) { return CancelCommand(c, arguments_.job, waits()); });
  cancel->add_option("JOB", arguments_.job, kJobArgument)->required();
  AddWaitOptions(cancel);
}

void CommandDefinition::AddWaitOptions(CLI::App* verb) {
  WithChoices(verb->add_flag("--wait{true}", arguments_.wait, "Wait for the end (the default)"),
              "true|false");
  verb->add_flag("-d,--detached", arguments_.detached, "Do not wait: the same as --wait=false");
}

void CommandDefinition::AddSavepointVerbs() {
  CLI::App* stop = AddVerb(
      kGroup, "stop", "Stop a job with a savepoint, and wait until it has finished",
      {"wsctl stop session -p file:///savepoints",
       "wsctl stop --drain session        # every window fires; for a job that is not to go on"},
      [this](const CommandContext& c) {
        StopOptions options = arguments_.stop;
        options.wait = waits();
        return StopCommand(c, arguments_.job, options);
      });
  stop->add_option("JOB", arguments_.job, kJobArgument)->required();
  stop->add_option("-p,--savepoint-path", arguments_.stop.directory, kSavepointDirectory)
      ->type_name("DIR");
  stop->add_flag("--drain", arguments_.stop.drain,
                 "End the sources first, so that every window fires: for a job that is not to go "
                 "on");
  AddWaitOptions(stop);
  CLI::App* savepoint = AddVerb(
      kGroup, "savepoint", "Take a savepoint of a running job, or delete one with --dispose",
      {"wsctl savepoint session file:///savepoints",
       "wsctl savepoint --dispose file:///savepoints/savepoint-3f2a01-7-a1b2c3d4"},
      [this](const CommandContext& c) {
        if (!arguments_.disposed.empty()) return DisposeCommand(c, arguments_.disposed);
        if (arguments_.job.empty()) {
          return Outcome<void>(
              Fail(ExitCode::kUsage, "JOB is required\nMore: wsctl savepoint --help"));
        }
        return SavepointCommand(c, arguments_.job, arguments_.savepoint_directory);
      });
  CLI::Option* job = savepoint->add_option("JOB", arguments_.job, kJobArgument);
  savepoint->add_option("DIR", arguments_.savepoint_directory, kSavepointDirectory);
  savepoint->add_option("-d,--dispose", arguments_.disposed, "Delete this savepoint")
      ->type_name("PATH")
      ->excludes(job);
  AddVerb(kGroup, "checkpoint", "Take a checkpoint of a running job now",
          {"wsctl checkpoint session"},
          [this](const CommandContext& c) { return CheckpointCommand(c, arguments_.job); })
      ->add_option("JOB", arguments_.job, kJobArgument)
      ->required();
}

}  // namespace watershed
