#include "wsctl/definition/definition.h"

#include <fmt/format.h>

#include "runtime/job/nearest_name.h"
#include "runtime/version/version.h"

namespace watershed {
namespace {

constexpr const char* kFooter = R"(
Examples:
  wsctl lint jobs/*.yaml
  wsctl doctor --env-file flink-env.env jobs/session.yaml
  wsctl run --bounded --env-file flink-env.env jobs/session.yaml
  wsctl submit --wait --env-file flink-env.env -p 4 jobs/session.yaml
  wsctl get session -o json
  wsctl get checkpoints session --watch
  wsctl logs -f --job session
  wsctl stop session -p file:///savepoints

A JOB is a job id, the beginning of one, or a job's name where only one has it.
Exit codes: 0 done, 1 failed, 2 wrong usage or file, 3 timed out, 4 cluster unreachable.)";

// A flag with an optional value reads "--wait[=running|finished]", not "--wait{running}".
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    std::string name = CLI::Formatter::make_option_name(option, is_positional);
    const size_t brace = name.find('{');
    if (brace == name.npos) return name;
    return name.substr(0, brace) + "[=" + option->get_type_name() + "]" +
           name.substr(name.find('}', brace) + 1);
  }
};

}  // namespace

std::vector<std::string> ChoicesOf(std::string_view choices) {
  std::vector<std::string> list;
  if (choices.find('|') == choices.npos) return list;
  while (true) {
    const size_t bar = choices.find('|');
    list.emplace_back(choices.substr(0, bar));
    if (bar == choices.npos) return list;
    choices.remove_prefix(bar + 1);
  }
}

CLI::Option* WithChoices(CLI::Option* option, const std::string& choices) {
  const auto check = [list = ChoicesOf(choices)](const std::string& value) -> std::string {
    if (std::find(list.begin(), list.end(), value) != list.end()) return "";
    const std::vector<std::string_view> names(list.begin(), list.end());
    return fmt::format("there is no '{}'{}", value, Suggestion(value, names));
  };
  return option->check(CLI::Validator(check, ""))->type_name(choices);
}

CommandDefinition::CommandDefinition(GlobalOptions& options) {
  app_.description("Lints, runs, submits and watches Watershed jobs.");
  app_.footer(kFooter);
  app_.formatter(std::make_shared<HelpFormatter>());
  app_.set_version_flag("--version", std::string(BuildVersion()));
  app_.require_subcommand(0, 1);  // none: our own message
  app_.fallthrough();
  AddGlobalOptions(options);
  AddJobFileVerbs();
  AddJobVerbs();
  AddSavepointVerbs();
  AddWatchVerbs();
  AddOtherVerbs();
}

void CommandDefinition::AddGlobalOptions(GlobalOptions& options) {
  WithChoices(app_.add_option("-o,--output", arguments_.output,
                              "Output: a table, with more columns (wide), JSON, YAML, or only what "
                              "other commands take (name)"),
              "table|wide|json|yaml|name")
      ->default_str("table");
  app_.add_option("--env-file", options.env_files,
                  "Variables for ${NAME} in job files, NAME=value a line; they win over the "
                  "environment's, and a later file over an earlier one")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app_.add_option(
          "-p,--parallelism", arguments_.parallelism,
          "Parallelism of the job instead of the file's (submit, run, lint, explain, doctor)")
      ->check(CLI::Range(1, kParallelismMax).description(""))
      ->type_name("N");
  app_.add_option(
          "--jobmanager", options.jobmanager,
          "Address of the JobManager; of all, with commas between them, if there are several")
      ->type_name("HOST:PORT,…")
      ->envname("WSCTL_JOBMANAGER")
      ->capture_default_str();
  app_.add_option(
          "--timeout", arguments_.timeout,
          "Give up after this long, such as 10s or 2min, with exit code 3 (default 30s; "
          "savepoint, stop, checkpoint: 10min; submit --wait: 5min; run, --watch, --follow, "
          "top, submit --wait=finished: never)")
      ->type_name("DURATION");
}

CLI::App* CommandDefinition::AddVerb(const std::string& group, const std::string& name,
                                     const std::string& description,
                                     std::initializer_list<const char*> examples, Verb verb) {
  CLI::App* command = app_.add_subcommand(name, description);
  command->group(group);
  std::string footer = examples.size() == 1 ? "\nExample:" : "\nExamples:";
  for (const char* example : examples) footer += std::string("\n  ") + example;
  footer += "\n\nOptions of every command (-o, --timeout, --jobmanager, …): wsctl --help";
  command->footer(footer);
  command->callback([this, verb = std::move(verb)] { verb_ = verb; });
  return command;
}

}  // namespace watershed
