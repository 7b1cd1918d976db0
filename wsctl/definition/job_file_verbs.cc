// lint, explain, doctor, run, submit: verbs about job files.
#include "wsctl/definition/definition.h"

namespace watershed {
namespace {

constexpr const char* kGroup = "Job files";
constexpr const char* kFile = "Job file; - is standard input";

SubmitWait WaitOf(const std::string& wait) {
  if (wait.empty()) return SubmitWait::kNo;
  return wait == "finished" ? SubmitWait::kFinished : SubmitWait::kRunning;
}

}  // namespace

void CommandDefinition::AddJobFileVerbs() {
  AddVerb(kGroup, "lint", "Check job files and say what their sinks guarantee",
          {"wsctl lint jobs/session.yaml jobs/aggregation.yaml", "wsctl lint -o json - < job.yaml"},
          [this](const CommandContext& c) { return LintCommand(c, arguments_.files); })
      ->add_option("FILE", arguments_.files, "Job files; - is standard input")
      ->required();
  AddVerb(kGroup, "explain",
          "Show how a job would run, what its sinks guarantee, and when their rows can be seen",
          {"wsctl explain -p 4 jobs/session.yaml", "wsctl explain -o json jobs/session.yaml"},
          [this](const CommandContext& c) { return ExplainCommand(c, arguments_.file); })
      ->add_option("FILE", arguments_.file, kFile)
      ->required();
  CLI::App* doctor =
      AddVerb(kGroup, "doctor",
              "Look whether a job could run: brokers, topics, records, tables, rights, slots; "
              "changes nothing",
              {"wsctl doctor --env-file flink-env.env jobs/session.yaml",
               "wsctl doctor --checkpoint-dir file:///checkpoints jobs/*.yaml -o json"},
              [this](const CommandContext& c) {
                return DoctorCommand(c, arguments_.files, arguments_.checkpoint_directory);
              });
  doctor->add_option("FILE", arguments_.files, "Job files; - is standard input")->required();
  doctor
      ->add_option("--checkpoint-dir", arguments_.checkpoint_directory,
                   "The cluster's execution.checkpointing.dir: looked at from here")
      ->type_name("DIR");
  CLI::App* run = AddVerb(
      kGroup, "run", "Run a job in this process, without a cluster, until it ends or Ctrl-C",
      {"wsctl run --bounded jobs/session.yaml", "wsctl run --timeout 30s first.yaml"},
      [this](const CommandContext& c) {
        return RunCommand(c, arguments_.file, arguments_.bounded);
      });
  run->add_option("FILE", arguments_.file, kFile)->required();
  run->add_flag("--bounded", arguments_.bounded, "Stop at the present end of every source's topic");
  CLI::App* submit =
      AddVerb(kGroup, "submit", "Submit a job to the cluster and print its JobID",
              {"wsctl submit --env-file flink-env.env -p 4 jobs/session.yaml",
               "wsctl submit --wait jobs/session.yaml              # until all its tasks run",
               "wsctl submit --wait=finished --timeout 1h batch.yaml",
               "wsctl submit -s file:///savepoints/savepoint-3f2a01-7-a1b2c3d4 jobs/session.yaml"},
              [this](const CommandContext& c) {
                return SubmitCommand(c, arguments_.file, arguments_.restore,
                                     WaitOf(arguments_.submit_wait));
              });
  submit->add_option("FILE", arguments_.file, kFile)->required();
  AddRestoreOptions(submit);
  WithChoices(submit->add_flag("--wait{running}", arguments_.submit_wait,
                               "Return when all its tasks run, or (=finished) when it has ended; "
                               "another end than FINISHED is exit code 1"),
              "running|finished");
}

void CommandDefinition::AddRestoreOptions(CLI::App* submit) {
  RestoreFrom& from = arguments_.restore;
  CLI::Option* path = submit
                          ->add_option("-s,--from-savepoint", from.path,
                                       "Begin with this savepoint or checkpoint, such as "
                                       "file:///savepoints/savepoint-3f2a01-7-a1b2c3d4 or "
                                       "file:///checkpoints/JOBID/chk-7-1; the job may have "
                                       "another parallelism")
                          ->type_name("PATH");
  submit
      ->add_flag("--fork", from.fork,
                 "Leave output that is not written yet to the job that it came from, so that "
                 "both can run")
      ->needs(path);
  submit
      ->add_flag("--allow-drained", from.allow_drained,
                 "Also from a savepoint of `stop --drain`, whose windows have fired early")
      ->needs(path);
  submit
      ->add_flag("-n,--allow-non-restored-state", from.allow_non_restored_state,
                 "Give up the state of operators that the job does not have any more")
      ->needs(path);
  submit
      ->add_flag("--allow-duplicates", from.allow_duplicates,
                 "Also from a checkpoint that an exactly-once target has gone past: rows after it "
                 "are written again")
      ->needs(path);
}

}  // namespace watershed
