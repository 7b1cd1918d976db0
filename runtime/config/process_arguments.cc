#include "runtime/config/process_arguments.h"

namespace watershed {
namespace {

// The value of `--name VALUE` or `--name=VALUE`; advances `index` over what it used.
Result<std::string> TakeValue(std::string_view name, int argc, const char* const* argv,
                              int& index) {
  const std::string_view argument = argv[index];
  if (argument.size() > name.size()) return std::string(argument.substr(name.size() + 1));
  if (index + 1 >= argc) return UserError("{} needs a value; see --help", name);
  return std::string(argv[++index]);
}

bool IsFlag(std::string_view argument, std::string_view name) {
  return argument == name || (argument.starts_with(name) && argument.size() > name.size() &&
                              argument[name.size()] == '=');
}

}  // namespace

Result<ProcessArguments> ParseProcessArguments(int argc, const char* const* argv) {
  ProcessArguments arguments;
  std::string file;
  std::vector<std::string> overrides;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      arguments.help = true;
    } else if (argument == "--version") {
      arguments.version = true;
    } else if (IsFlag(argument, "--config")) {
      WS_ASSIGN_OR_RETURN(file, TakeValue("--config", argc, argv, i));
    } else if (IsFlag(argument, "--ports-file")) {
      WS_ASSIGN_OR_RETURN(arguments.ports_file, TakeValue("--ports-file", argc, argv, i));
    } else if (argument == "-D") {
      if (i + 1 >= argc) return UserError("-D needs key=value; see --help");
      overrides.emplace_back(argv[++i]);
    } else if (argument.starts_with("-D")) {
      overrides.emplace_back(argument.substr(2));
    } else {
      return UserError("unknown argument '{}'; see --help", argument);
    }
  }
  WS_ASSIGN_OR_RETURN(arguments.config, Config::Load(file, overrides));
  return arguments;
}

std::string ProcessUsage(std::string_view program, uint8_t process) {
  return fmt::format(
      "Usage: {} [--config FILE] [-Dkey=value ...] [--ports-file FILE]\n"
      "  --config FILE      YAML options; -D overrides them\n"
      "  -Dkey=value        one option\n"
      "  --ports-file FILE  writes the bound ports as JSON once ready (for scripts with port 0)\n"
      "  --version, --help\n\nOptions:\n{}",
      program, DescribeOptions(process));
}

}  // namespace watershed
