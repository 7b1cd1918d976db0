#include "wsctl/output.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "wsctl/job_json.h"

namespace watershed {
namespace {

using Json = nlohmann::ordered_json;

// Read back as the same text by YAML 1.1 and 1.2, unquoted.
bool IsPlain(const std::string& text) {
  if (text.empty() || text.size() > 64 || !std::isalpha(static_cast<unsigned char>(text[0]))) {
    return false;
  }
  const bool harmless = std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '/' ||
           c == '.' || c == ' ';
  });
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* word : {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}) {
    if (lower == word) return false;
  }
  return harmless && text.back() != ' ';
}

std::string Scalar(const Json& json) {
  if (json.is_string() && IsPlain(json.get<std::string>())) return json.get<std::string>();
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);  // JSON's scalars are YAML's
}

void Append(const Json& json, size_t indent, std::string& yaml);

// What stands behind "key:" or "-".
void AppendValue(const Json& json, size_t indent, std::string& yaml) {
  if (!json.is_structured()) {
    yaml += ' ' + Scalar(json) + '\n';
  } else if (json.empty()) {
    yaml += json.is_array() ? " []\n" : " {}\n";
  } else {
    yaml += '\n';
    Append(json, indent, yaml);
  }
}

void Append(const Json& json, size_t indent, std::string& yaml) {
  if (json.is_array()) {
    for (const Json& item : json) {
      std::string text;
      AppendValue(item, indent + 2, text);
      // "- first: …": without the line's end and all but one of the spaces before.
      if (item.is_object() && !item.empty()) text.erase(0, indent + 2);
      yaml += std::string(indent, ' ') + '-' + text;
    }
    return;
  }
  for (const auto& [key, value] : json.items()) {
    yaml += std::string(indent, ' ') + Scalar(key) + ':';
    AppendValue(value, indent + 2, yaml);
  }
}

}  // namespace

std::string ToYaml(const Json& json) {
  std::string yaml;
  if (!json.is_structured()) return Scalar(json) + '\n';
  if (json.empty()) return json.is_array() ? "[]\n" : "{}\n";
  Append(json, 0, yaml);
  return yaml;
}

bool IsForPrograms(OutputFormat format) {
  return format != OutputFormat::kTable && format != OutputFormat::kWide;
}

void Print(const CommandContext& context, const Answer& answer) {
  std::ostream& out = *context.console.out;
  switch (context.options.output) {
    case OutputFormat::kJson:
      out << ToText(answer.json);
      return;
    case OutputFormat::kYaml:
      out << ToYaml(answer.json);
      return;
    case OutputFormat::kName:
      for (const std::string& name : answer.names) out << name << '\n';
      return;
    case OutputFormat::kTable:
    case OutputFormat::kWide:
      answer.text(out, context.options.output == OutputFormat::kWide);
  }
}

}  // namespace watershed
