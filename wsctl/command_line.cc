#include "wsctl/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <map>
#include <ostream>

#include "runtime/config/units.h"
#include "runtime/job/nearest_name.h"
#include "runtime/version/version.h"
#include "wsctl/commands/commands.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

constexpr int kParallelismMax = 32768;  // Flink's upper bound of a maximum parallelism

constexpr const char* kExamples = R"(
Examples:
  wsctl lint jobs/*.yaml
  wsctl run --bounded --env-file flink-env.env jobs/session.yaml
  wsctl submit --env-file flink-env.env -p 4 jobs/session.yaml
  wsctl list
  wsctl get session -o json
  wsctl cancel 3f2a
  wsctl stop session -p file:///savepoints

A JOB is a job id, the beginning of one, or a job's name where only one has it.
Exit codes: 0 done, 1 failed, 2 wrong usage or file, 3 timed out, 4 cluster unreachable.)";

// Arguments of the verbs, filled in by CLI11.
struct Arguments {
  std::vector<std::string> files;
  std::string file;
  std::string job;
  RestoreFrom restore;
  std::string directory;
  std::string disposed;
  bool drain = false;
  std::string timeout;
  int32_t parallelism = 0;
  bool all = false;
  bool bounded = false;
  bool detached = false;
  bool cluster = false;
};

using Verb = std::function<Outcome<void>(const CommandContext&)>;

class CommandLine {
 public:
  explicit CommandLine(CommandContext context) : context_(std::move(context)) {
    app_.description("Lints, runs, submits and watches Watershed jobs.");
    app_.footer(kExamples);
    app_.set_version_flag("--version", std::string(BuildVersion()));
    app_.require_subcommand(0, 1);  // none: our own message
    app_.fallthrough();
    AddGlobalOptions();
    AddFileVerbs();
    AddJobVerbs();
    AddSavepointVerbs();
  }

  int Run(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      return PrintAndEnd(app_.help());
    } catch (const CLI::CallForAllHelp&) {
      return PrintAndEnd(app_.help("", CLI::AppFormatMode::All));
    } catch (const CLI::CallForVersion&) {
      return PrintAndEnd(fmt::format("wsctl {}\n", BuildVersion()));
    } catch (const CLI::ExtrasError& error) {
      return End(Fail(ExitCode::kUsage, UnexpectedArgument(error)));
    } catch (const CLI::ParseError& error) {
      return End(Fail(ExitCode::kUsage,
                      fmt::format("{}\nMore: wsctl {}--help", error.what(), ParsedVerb())));
    }
    if (!verb_) {
      return End(Fail(ExitCode::kUsage, "a command is missing, such as list\nMore: wsctl --help"));
    }
    if (!arguments_.timeout.empty()) {
      auto timeout = ParseDuration(arguments_.timeout);
      if (!timeout || timeout->count() <= 0) {
        return End(Fail(ExitCode::kUsage,
                        fmt::format("--timeout: {}",
                                    timeout ? "must be above zero" : timeout.error().message)));
      }
      context_.options.timeout = *timeout;
    }
    if (arguments_.parallelism > 0) context_.options.parallelism = arguments_.parallelism;
    return End(verb_(context_));
  }

  int End(const Outcome<void>& outcome) {
    context_.console.out->flush();
    if (outcome && !*context_.console.out) {
      *context_.console.err << "error: standard output cannot be written\n";
      return static_cast<int>(ExitCode::kFailed);
    }
    if (outcome) return static_cast<int>(ExitCode::kDone);
    if (!outcome.error().message.empty()) {
      *context_.console.err << "error: " << PrintableLines(outcome.error().message) << std::endl;
    }
    return static_cast<int>(outcome.error().code);
  }

 private:
  void AddGlobalOptions() {
    GlobalOptions& options = context_.options;
    static const std::map<std::string, OutputFormat> kFormats = {{"table", OutputFormat::kTable},
                                                                 {"json", OutputFormat::kJson}};
    app_.add_option("-o,--output", options.output, "Output format: table or json")
        ->transform(CLI::CheckedTransformer(kFormats).description(""))
        ->type_name("FORMAT")
        ->default_str("table");
    app_.add_option("--env-file", options.env_files,
                    "Variables for ${NAME} in job files, NAME=value a line; they win over the "
                    "environment's, and a later file over an earlier one")
        ->type_name("FILE")
        ->allow_extra_args(false);
    app_.add_option("-p,--parallelism", arguments_.parallelism,
                    "Parallelism of the job instead of the file's (submit, run, lint)")
        ->type_name("N")
        ->check(CLI::Range(1, kParallelismMax).description(""));
    app_.add_option("--jobmanager", options.jobmanager, "Address of the JobManager")
        ->type_name("HOST:PORT")
        ->envname("WSCTL_JOBMANAGER")
        ->capture_default_str();
    app_.add_option("--timeout", arguments_.timeout,
                    "Give up after this long, such as 10s or 2min (default 30s; run: never)")
        ->type_name("DURATION");
  }

  CLI::App* AddVerb(const std::string& name, const std::string& description,
                    const std::string& example, Verb verb) {
    CLI::App* command = app_.add_subcommand(name, description);
    command->footer("\nExample:\n  " + example);
    command->callback([this, verb = std::move(verb)] { verb_ = verb; });
    return command;
  }

  void AddFileVerbs() {
    AddVerb("lint", "Check job files and say what their sinks guarantee",
            "wsctl lint jobs/session.yaml jobs/aggregation.yaml",
            [this](const CommandContext& c) { return LintCommand(c, arguments_.files); })
        ->add_option("FILE", arguments_.files, "Job files; - is standard input")
        ->required();
    CLI::App* submit = AddVerb("submit", "Submit a job to the cluster and print its JobID",
                               "wsctl submit --env-file flink-env.env -p 4 jobs/session.yaml",
                               [this](const CommandContext& c) {
                                 return SubmitCommand(c, arguments_.file, arguments_.restore);
                               });
    submit->add_option("FILE", arguments_.file, "Job file; - is standard input")->required();
    AddRestoreOptions(submit);
    CLI::App* run =
        AddVerb("run", "Run a job in this process, without a cluster, until it ends or Ctrl-C",
                "wsctl run --bounded jobs/session.yaml", [this](const CommandContext& c) {
                  return RunCommand(c, arguments_.file, arguments_.bounded);
                });
    run->add_option("FILE", arguments_.file, "Job file; - is standard input")->required();
    run->add_flag("--bounded", arguments_.bounded,
                  "Stop at the present end of every source's topic");
  }

  void AddRestoreOptions(CLI::App* submit) {
    RestoreFrom& from = arguments_.restore;
    CLI::Option* path =
        submit
            ->add_option("-s,--from-savepoint", from.path,
                         "Begin with this savepoint or checkpoint, such as "
                         "file:///savepoints/savepoint-3f2a01-7-a1b2c3d4 or "
                         "file:///checkpoints/JOBID/chk-7-1; the job may have another parallelism")
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
  }

  void AddSavepointVerbs() {
    CLI::App* savepoint =
        AddVerb("savepoint", "Take a savepoint of a running job, or delete one with --dispose",
                "wsctl savepoint session file:///savepoints\n  wsctl savepoint --dispose "
                "file:///savepoints/savepoint-3f2a01-7-a1b2c3d4",
                [this](const CommandContext& c) {
                  if (!arguments_.disposed.empty()) return DisposeCommand(c, arguments_.disposed);
                  if (arguments_.job.empty()) {
                    return Outcome<void>(
                        Fail(ExitCode::kUsage, "JOB is required\nMore: wsctl savepoint --help"));
                  }
                  return SavepointCommand(c, arguments_.job, arguments_.directory);
                });
    CLI::Option* job =
        savepoint->add_option("JOB", arguments_.job, "Job id, its beginning, or a unique name");
    savepoint->add_option(
        "DIR", arguments_.directory,
        "Where to; default: the JobManager's execution.checkpointing.savepoint-dir");
    savepoint->add_option("-d,--dispose", arguments_.disposed, "Delete this savepoint")
        ->type_name("PATH")
        ->excludes(job);
    CLI::App* stop =
        AddVerb("stop", "Stop a job with a savepoint, and wait until it has finished",
                "wsctl stop session -p file:///savepoints", [this](const CommandContext& c) {
                  return StopCommand(c, arguments_.job, arguments_.directory, arguments_.drain);
                });
    stop->add_option("JOB", arguments_.job, "Job id, its beginning, or a unique name")->required();
    stop->add_option("-p,--savepoint-path", arguments_.directory,
                     "Where to; default: the JobManager's execution.checkpointing.savepoint-dir")
        ->type_name("DIR");
    stop->add_flag("--drain", arguments_.drain,
                   "End the sources first, so that every window fires: for a job that is not to "
                   "go on");
    AddVerb("checkpoint", "Take a checkpoint of a running job now", "wsctl checkpoint session",
            [this](const CommandContext& c) { return CheckpointCommand(c, arguments_.job); })
        ->add_option("JOB", arguments_.job, "Job id, its beginning, or a unique name")
        ->required();
  }

  void AddJobVerbs() {
    AddVerb("list", "List the jobs that have not ended", "wsctl list -a -o json",
            [this](const CommandContext& c) { return ListCommand(c, arguments_.all); })
        ->add_flag("-a,--all", arguments_.all, "Ended jobs too");
    AddVerb("get", "Show a job: state, why it waits or failed, figures of every vertex",
            "wsctl get session",
            [this](const CommandContext& c) { return GetCommand(c, arguments_.job); })
        ->add_option("JOB", arguments_.job, "Job id, its beginning, or a unique name")
        ->required();
    CLI::App* cancel =
        AddVerb("cancel", "Cancel a job and wait until it has ended",
                "wsctl cancel session --timeout 1min", [this](const CommandContext& c) {
                  return CancelCommand(c, arguments_.job, arguments_.detached);
                });
    cancel->add_option("JOB", arguments_.job, "Job id, its beginning, or a unique name")
        ->required();
    cancel->add_flag("-d,--detached", arguments_.detached, "Do not wait for the end");
    AddVerb("version", "Print version and commit", "wsctl version --cluster",
            [this](const CommandContext& c) { return VersionCommand(c, arguments_.cluster); })
        ->add_flag("--cluster", arguments_.cluster, "The JobManager's too");
  }

  std::string UnexpectedArgument(const CLI::ExtrasError& error) const {
    std::vector<std::string> extra = app_.remaining();
    if (!app_.get_subcommands().empty() || extra.empty() || extra.front().starts_with('-')) {
      return fmt::format("{}\nMore: wsctl {}--help", error.what(), ParsedVerb());
    }
    std::vector<std::string> names;
    for (const CLI::App* command : app_.get_subcommands({})) names.push_back(command->get_name());
    std::vector<std::string_view> candidates(names.begin(), names.end());
    return fmt::format("there is no command '{}'{}\nMore: wsctl --help", extra.front(),
                       Suggestion(extra.front(), candidates));
  }

  std::string ParsedVerb() const {
    auto verbs = app_.get_subcommands();
    return verbs.empty() ? "" : verbs.front()->get_name() + " ";
  }

  static std::string PrintableLines(const std::string& text) {
    std::string result;
    for (size_t begin = 0; begin <= text.size();) {
      size_t end = std::min(text.find('\n', begin), text.size());
      if (begin > 0) result += '\n';
      result += Printable(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return result;
  }

  int PrintAndEnd(const std::string& text) {
    *context_.console.out << text;
    return End({});
  }

  CLI::App app_{"", "wsctl"};
  CommandContext context_;
  Arguments arguments_;
  Verb verb_;
};

}  // namespace

int RunCommandLine(const std::vector<std::string>& arguments, CommandContext context) {
  CommandLine command_line(std::move(context));
  try {
    return command_line.Run(arguments);
  } catch (const std::exception& error) {
    return command_line.End(
        Fail(ExitCode::kFailed, fmt::format("internal error: {}", error.what())));
  }
}

}  // namespace watershed
