// completion, version, help, and what scripts of ours ask the definition itself.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/config/reference.h"
#include "runtime/job/nearest_name.h"
#include "wsctl/definition/completion.h"
#include "wsctl/definition/definition.h"
#include "wsctl/definition/model.h"
#include "wsctl/definition/reference.h"
#include "wsctl/output.h"

namespace watershed {
namespace {

constexpr const char* kGroup = "Other";
constexpr const char* kHidden = "";

Outcome<void> HelpAbout(const CommandContext& context, const CLI::App& app,
                        const std::string& name) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands({})) {
    if (verb->get_name() == name) {
      *context.console.out << verb->help("wsctl");
      return {};
    }
    if (!verb->get_group().empty()) names.push_back(verb->get_name());
  }
  if (name.empty()) {
    // Not help(), which is of the command that was typed: this one.
    *context.console.out << app.get_formatter()->make_help(&app, "wsctl",
                                                           CLI::AppFormatMode::Normal);
    return {};
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  return Fail(ExitCode::kUsage, fmt::format("there is no command '{}'{}\nMore: wsctl --help", name,
                                            Suggestion(name, candidates)));
}

void PrintReference(const CommandContext& context, const CLI::App& app, const std::string& page) {
  if (page == "configuration") {
    *context.console.out << ConfigurationPage();
    return;
  }
  const CommandModel model = DescribeCommand(app);
  Print(context, {.json = ToJson(model),
                  .text = [&](std::ostream& out, bool) { out << ReferencePage(model); }});
}

}  // namespace

void CommandDefinition::AddOtherVerbs() {
  WithChoices(AddVerb(kGroup, "completion", "Print a script that completes what you type",
                      {"source <(wsctl completion bash)      # in ~/.bashrc",
                       "wsctl completion zsh > ~/.zfunc/_wsctl",
                       "wsctl completion fish > ~/.config/fish/completions/wsctl.fish"},
                      [this](const CommandContext& c) {
                        *c.console.out << CompletionScript(DescribeCommand(app_), arguments_.shell);
                        return Outcome<void>();
                      })
                  ->add_option("SHELL", arguments_.shell, "For which shell"),
              "bash|zsh|fish")
      ->required();
  AddVerb(kGroup, "version", "Print version and commit",
          {"wsctl version", "wsctl version --cluster"},
          [this](const CommandContext& c) { return VersionCommand(c, arguments_.cluster); })
      ->add_flag("--cluster", arguments_.cluster, "The JobManager's too");
  AddVerb(kGroup, "help", "Show the help of a command", {"wsctl help submit"},
          [this](const CommandContext& c) { return HelpAbout(c, app_, arguments_.help_about); })
      ->add_option("COMMAND", arguments_.help_about, "Which command");
  WithChoices(AddVerb(kHidden, "reference", "Print a reference page; -o json: the definition",
                      {"wsctl reference > docs/command-line.md",
                       "wsctl reference configuration > docs/configuration.md"},
                      [this](const CommandContext& c) {
                        PrintReference(c, app_, arguments_.page);
                        return Outcome<void>();
                      })
                  ->add_option("PAGE", arguments_.page, "Which; default: command-line"),
              "command-line|configuration");
  AddVerb(
      kHidden, "candidates", "Print what a shell can complete: jobs, running-jobs or taskmanagers",
      {"wsctl candidates jobs"},
      [this](const CommandContext& c) { return CandidatesCommand(c, arguments_.candidates_of); })
      ->add_option("KIND", arguments_.candidates_of, "jobs, running-jobs or taskmanagers")
      ->required();
}

}  // namespace watershed
