#include "wsctl/definition/model.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "wsctl/definition/definition.h"

namespace watershed {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMany = 1000;  // CLI11 says "as many as you like" by a large number

ParameterModel Describe(const CLI::Option& option) {
  ParameterModel model{.description = option.get_description(),
                       .is_required = option.get_required(),
                       .is_repeatable = option.get_items_expected_max() > kMany};
  const std::string type = option.get_type_name();
  const bool is_flag = option.get_items_expected_max() == 0;
  model.choices = ChoicesOf(type);
  if (option.get_positional()) {
    model.name = option.get_name(true);
  } else {
    if (!option.get_lnames().empty()) model.name = "--" + option.get_lnames().front();
    if (!option.get_snames().empty()) model.short_name = "-" + option.get_snames().front();
    model.value_is_optional = is_flag && !model.choices.empty();
    if (!is_flag || model.value_is_optional) model.value = type;
    if (!model.value_is_optional) model.default_value = option.get_default_str();
  }
  return model;
}

std::vector<std::string> ExamplesIn(const std::string& footer) {
  std::vector<std::string> examples;
  std::istringstream lines(footer);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  ")) examples.push_back(line.substr(2));
  }
  return examples;
}

Json ToJson(const std::vector<ParameterModel>& parameters) {
  Json list = Json::array();
  for (const ParameterModel& each : parameters) {
    list.push_back({{"name", each.name},
                    {"short-name", each.short_name},
                    {"value", each.value},
                    {"choices", each.choices},
                    {"default", each.default_value},
                    {"description", each.description},
                    {"required", each.is_required},
                    {"repeatable", each.is_repeatable}});
  }
  return list;
}

}  // namespace

CommandModel DescribeCommand(const CLI::App& app) {
  CommandModel model{.name = app.get_name(),
                     .group = app.get_group(),
                     .description = app.get_description(),
                     .examples = ExamplesIn(app.get_footer())};
  for (const CLI::Option* option : app.get_options()) {
    if (option == app.get_help_ptr() || option == app.get_version_ptr()) continue;
    (option->get_positional() ? model.arguments : model.options).push_back(Describe(*option));
  }
  for (const CLI::App* command : app.get_subcommands({})) {
    model.commands.push_back(DescribeCommand(*command));
  }
  return model;
}

Json ToJson(const CommandModel& command) {
  Json commands = Json::array();
  for (const CommandModel& each : command.commands) commands.push_back(ToJson(each));
  return {{"name", command.name},
          {"group", command.group},
          {"description", command.description},
          {"examples", command.examples},
          {"arguments", ToJson(command.arguments)},
          {"options", ToJson(command.options)},
          {"commands", std::move(commands)}};
}

}  // namespace watershed
