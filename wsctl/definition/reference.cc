#include "wsctl/definition/reference.h"

#include <fmt/format.h>

#include <iterator>

namespace watershed {
namespace {

constexpr const char* kBegin = R"(# The command line
Made from the definition of the command line by `wsctl reference > docs/command-line.md`; a test compares them.
What scripts may rely on (exit codes, JSON shapes, where settings come from) is in
[wsctl/README.md](../wsctl/README.md).

A JOB is a job id, the beginning of one, or a job's name where only one has it. Options may stand before or
after the command.

)";

// Within a cell of a table.
std::string Escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string Spelling(const ParameterModel& option) {
  std::string text = option.short_name.empty() ? "" : option.short_name + ", ";
  text += option.name;
  if (option.value_is_optional) return text + "[=" + option.value + "]";
  return option.value.empty() ? text : text + " " + option.value;
}

void AppendOptions(const std::vector<ParameterModel>& options, std::string& page) {
  if (options.empty()) return;
  page += "| option | meaning |\n| --- | --- |\n";
  for (const ParameterModel& option : options) {
    page += fmt::format(
        "| `{}` | {}{}{} |\n", Escaped(Spelling(option)), Escaped(option.description),
        option.default_value.empty() ? "" : fmt::format(". Default: `{}`", option.default_value),
        option.is_repeatable ? ". May be given several times" : "");
  }
  page += '\n';
}

std::string Usage(const CommandModel& command) {
  std::string usage = "wsctl " + command.name;
  for (const ParameterModel& argument : command.arguments) {
    const std::string name = argument.name + (argument.is_repeatable ? "…" : "");
    usage += argument.is_required ? " " + name : " [" + name + "]";
  }
  return command.options.empty() ? usage : usage + " [options]";
}

void AppendCommand(const CommandModel& command, std::string& page) {
  page +=
      fmt::format("### {}\n{}.\n\n    {}\n\n", command.name, command.description, Usage(command));
  for (const ParameterModel& argument : command.arguments) {
    page += fmt::format("- `{}`{}: {}\n", argument.name,
                        argument.choices.empty() ? "" : fmt::format(" (`{}`)", argument.value),
                        argument.description);
  }
  if (!command.arguments.empty()) page += '\n';
  AppendOptions(command.options, page);
  for (const std::string& example : command.examples) page += "    " + example + '\n';
  page += '\n';
}

}  // namespace

std::string ReferencePage(const CommandModel& wsctl) {
  std::string page = kBegin;
  page += "## Options of every command\n";
  AppendOptions(wsctl.options, page);
  std::string group;
  for (const CommandModel& command : wsctl.commands) {
    if (command.group.empty()) continue;
    if (command.group != group) page += "## " + command.group + "\n";
    group = command.group;
    AppendCommand(command, page);
  }
  page.pop_back();
  return page;
}

}  // namespace watershed
