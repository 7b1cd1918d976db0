#include "wsctl/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>
#include <ostream>
#include <set>

#include "runtime/config/units.h"
#include "runtime/job/nearest_name.h"
#include "runtime/version/version.h"
#include "wsctl/definition/definition.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

class CommandLine {
 public:
  explicit CommandLine(CommandContext context)
      : context_(std::move(context)), definition_(context_.options) {}

  int Run(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    try {
      app().parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      return PrintAndEnd(app().help());
    } catch (const CLI::CallForAllHelp&) {
      return PrintAndEnd(app().help("", CLI::AppFormatMode::All));
    } catch (const CLI::CallForVersion&) {
      return PrintAndEnd(fmt::format("wsctl {}\n", BuildVersion()));
    } catch (const CLI::ExtrasError& error) {
      return End(Fail(ExitCode::kUsage, UnexpectedArgument(error)));
    } catch (const CLI::ParseError& error) {
      // What is missing may be missing because of what is wrong.
      if (const std::string unknown = UnknownOption(); !unknown.empty()) {
        return End(Fail(ExitCode::kUsage, unknown));
      }
      return End(Fail(ExitCode::kUsage,
                      fmt::format("{}\nMore: wsctl {}--help", error.what(), ParsedVerb())));
    }
    if (!definition_.verb()) {
      return End(Fail(ExitCode::kUsage, "a command is missing, such as list\nMore: wsctl --help"));
    }
    if (Outcome<void> taken = TakeGlobalOptions(); !taken) return End(taken);
    return End(definition_.verb()(context_));
  }

  int End(const Outcome<void>& outcome) {
    context_.console.out->flush();
    if (outcome && !*context_.console.out && context_.console.IsUnread()) {
      return static_cast<int>(ExitCode::kReaderGone);
    }
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
  Outcome<void> TakeGlobalOptions() {
    static const std::map<std::string, OutputFormat> kFormats = {{"table", OutputFormat::kTable},
                                                                 {"wide", OutputFormat::kWide},
                                                                 {"json", OutputFormat::kJson},
                                                                 {"yaml", OutputFormat::kYaml},
                                                                 {"name", OutputFormat::kName}};
    const Arguments& arguments = definition_.arguments();
    if (!arguments.output.empty()) context_.options.output = kFormats.at(arguments.output);
    if (arguments.parallelism > 0) {
      static const std::set<std::string_view> kTakeIt = {"submit", "run", "lint", "explain",
                                                         "doctor"};
      const std::string verb = app().get_subcommands().front()->get_name();
      if (!kTakeIt.contains(verb)) {
        return Fail(ExitCode::kUsage,
                    fmt::format("-p, --parallelism is of a job file's job (submit, run, lint, "
                                "explain, doctor): {0} has none\nMore: wsctl {0} --help",
                                verb));
      }
      context_.options.parallelism = arguments.parallelism;
    }
    if (arguments.timeout.empty()) return {};
    auto timeout = ParseDuration(arguments.timeout);
    if (!timeout || timeout->count() <= 0) {
      return Fail(
          ExitCode::kUsage,
          fmt::format("--timeout: {}", timeout ? "must be above zero" : timeout.error().message));
    }
    context_.options.timeout = *timeout;
    return {};
  }

  std::string UnexpectedArgument(const CLI::ExtrasError& error) {
    const std::vector<std::string> extra = app().remaining(/*recurse=*/true);
    if (extra.empty()) return error.what();
    const std::string& first = extra.front();
    if (first.starts_with('-')) return UnknownOption();
    std::vector<std::string> names;
    if (!app().get_subcommands().empty()) {
      return fmt::format("'{}' is one argument too many\nMore: wsctl {}--help", first,
                         ParsedVerb());
    }
    for (const CLI::App* verb : app().get_subcommands({})) {
      if (!verb->get_group().empty()) names.push_back(verb->get_name());
    }
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    return fmt::format("there is no command '{}'{}\nMore: wsctl --help", first,
                       Suggestion(first, candidates));
  }

  // Empty: there is none.
  std::string UnknownOption() {
    const std::vector<std::string> extra = app().remaining(/*recurse=*/true);
    const auto unknown = std::find_if(extra.begin(), extra.end(), [](const std::string& word) {
      return word.size() > 1 && word.starts_with('-');
    });
    if (unknown == extra.end()) return "";
    std::vector<std::string> names;
    CollectOptions(app(), names);
    for (const CLI::App* verb : app().get_subcommands()) CollectOptions(*verb, names);
    const std::string name = unknown->substr(0, unknown->find('='));
    return fmt::format("there is no option '{}'{}\nMore: wsctl {}--help", name,
                       Nearest(name, names), ParsedVerb());
  }

  static void CollectOptions(const CLI::App& app, std::vector<std::string>& names) {
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }

  static std::string Nearest(const std::string& name, const std::vector<std::string>& names) {
    const std::string_view nearest =
        NearestName(name, std::vector<std::string_view>(names.begin(), names.end()));
    return nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest);
  }

  std::string ParsedVerb() {
    const auto verbs = app().get_subcommands();
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

  CLI::App& app() { return definition_.app(); }

  CommandContext context_;
  CommandDefinition definition_;
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
