#include "runtime/config/config.h"

#include <algorithm>
#include <charconv>

#include "runtime/config/units.h"
#include "runtime/config/yaml_source.h"

namespace watershed {
namespace {

Result<int64_t> ParseInt(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return UserError("'{}' is not an integer", text);
  }
  return value;
}

Status CheckRange(const OptionDefinition& option, int64_t value) {
  if (value >= option.min && value <= option.max) return Ok();
  const auto show = [&](int64_t bound) { return FormatBound(option, bound); };
  if (value < option.min)
    return UserError("{} is too small: at least {}", show(value), show(option.min));
  return UserError("{} is too large: at most {}", show(value), show(option.max));
}

Status CheckValue(const OptionDefinition& option, std::string_view text) {
  switch (option.type) {
    case ConfigType::kString:
      return Ok();
    case ConfigType::kInt: {
      WS_ASSIGN_OR_RETURN(const int64_t value, ParseInt(text));
      return CheckRange(option, value);
    }
    case ConfigType::kBool:
      if (text == "true" || text == "false") return Ok();
      return UserError("'{}' is neither true nor false", text);
    case ConfigType::kDuration: {
      WS_ASSIGN_OR_RETURN(const auto value, ParseDuration(text));
      return CheckRange(option, value.count());
    }
    case ConfigType::kSize: {
      WS_ASSIGN_OR_RETURN(const int64_t value, ParseSize(text));
      return CheckRange(option, value);
    }
    case ConfigType::kEnum:
      if (std::find(option.choices.begin(), option.choices.end(), text) != option.choices.end()) {
        return Ok();
      }
      return UserError("'{}' is not one of {}", text, fmt::join(option.choices, ", "));
    case ConfigType::kPorts:
      WS_RETURN_IF_ERROR(ParsePorts(text));
      return Ok();
  }
  return Ok();
}

Status CheckSetting(std::string_view key, std::string_view value) {
  const OptionDefinition* option = FindOption(key);
  if (option == nullptr) {
    const std::string nearest = NearestOption(key);
    if (nearest.empty()) return UserError("unknown option '{}'; --help lists them all", key);
    return UserError("unknown option '{}'; did you mean '{}'?", key, nearest);
  }
  const Status checked = CheckValue(*option, value);
  if (!checked) return UserError("option '{}': {}", key, checked.error().message);
  return Ok();
}

}  // namespace

Result<PortRange> ParsePorts(std::string_view text) {
  const size_t dash = text.find('-');
  const auto first = ParseInt(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : ParseInt(text.substr(dash + 1));
  if (!first || !last || *first < 0 || *last > 65535 || *first > *last ||
      (*first == 0 && *last != 0)) {
    return UserError("'{}' is no port: write one (8081), a range (9249-9260), or 0 for a free one",
                     text);
  }
  return PortRange{static_cast<int>(*first), static_cast<int>(*last)};
}

Result<Config> Config::Load(const std::string& file, const std::vector<std::string>& overrides) {
  Config config;
  std::vector<std::string> problems;
  if (!file.empty()) {
    WS_ASSIGN_OR_RETURN(const std::vector<YamlSetting> settings, ReadYamlSettings(file));
    for (const YamlSetting& setting : settings) {
      const auto problem = [&](std::string_view text) {
        problems.push_back(
            fmt::format("{}:{}:{}: error: {}", file, setting.line, setting.column, text));
      };
      if (const Status checked = CheckSetting(setting.key, setting.value); !checked) {
        problem(checked.error().message);
      } else if (!config.values_.emplace(setting.key, setting.value).second) {
        problem(fmt::format("option '{}' is given twice", setting.key));
      }
    }
  }
  for (const std::string& override : overrides) {
    const size_t equals = override.find('=');
    if (equals == std::string::npos) {
      problems.push_back(fmt::format("-D{}: error: write -Dkey=value", override));
    } else if (const Status set =
                   config.Set(override.substr(0, equals), override.substr(equals + 1));
               !set) {
      problems.push_back(fmt::format("-D{}: error: {}", override, set.error().message));
    }
  }
  if (!problems.empty()) return UserError("{}", fmt::join(problems, "\n"));
  return config;
}

Status Config::Set(std::string_view key, std::string value) {
  WS_RETURN_IF_ERROR(CheckSetting(key, value));
  values_.insert_or_assign(std::string(key), std::move(value));
  return Ok();
}

const std::string& Config::Text(const OptionDefinition& option) const {
  const auto it = values_.find(option.key);
  if (it != values_.end()) return it->second;
  static const std::map<std::string, std::string, std::less<>> defaults = [] {
    std::map<std::string, std::string, std::less<>> map;
    for (const OptionDefinition* o : AllOptions()) map.emplace(o->key, o->default_value);
    return map;
  }();
  return defaults.find(option.key)->second;
}

const std::string& Config::Get(const ConfigOption<std::string>& option) const {
  return Text(option.definition);
}
int64_t Config::Get(const ConfigOption<int64_t>& option) const {
  const std::string& text = Text(option.definition);
  return option.definition.type == ConfigType::kSize ? ParseSize(text).value()
                                                     : ParseInt(text).value();
}
bool Config::Get(const ConfigOption<bool>& option) const {
  return Text(option.definition) == "true";
}
std::chrono::milliseconds Config::Get(const ConfigOption<std::chrono::milliseconds>& option) const {
  return ParseDuration(Text(option.definition)).value();
}
PortRange Config::Get(const ConfigOption<PortRange>& option) const {
  return ParsePorts(Text(option.definition)).value();
}

std::vector<std::pair<std::string, std::string>> Config::Effective() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const OptionDefinition* option : AllOptions()) {
    all.emplace_back(option->key, Text(*option));
  }
  return all;
}

}  // namespace watershed
