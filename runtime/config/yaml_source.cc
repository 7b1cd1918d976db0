#include "runtime/config/yaml_source.h"

#include <yaml-cpp/yaml.h>

namespace watershed {
namespace {

Status Flatten(const std::string& file, const YAML::Node& node, const std::string& prefix,
               std::vector<YamlSetting>& out) {
  for (const auto& entry : node) {
    const YAML::Mark mark = entry.first.Mark();
    const std::string key = prefix + entry.first.Scalar();
    if (entry.second.IsMap()) {
      WS_RETURN_IF_ERROR(Flatten(file, entry.second, key + ".", out));
    } else if (entry.second.IsScalar()) {
      out.push_back({key, entry.second.Scalar(), mark.line + 1, mark.column + 1});
    } else if (!entry.second.IsNull()) {
      return UserError("{}:{}:{}: error: option '{}' is a list; write one value", file,
                       mark.line + 1, mark.column + 1, key);
    }
  }
  return Ok();
}

}  // namespace

Result<std::vector<YamlSetting>> ReadYamlSettings(const std::string& file) {
  std::vector<YamlSetting> settings;
  try {
    const YAML::Node root = YAML::LoadFile(file);
    if (root.IsNull()) return settings;
    if (!root.IsMap()) return UserError("{}:1:1: error: write `key: value` lines", file);
    WS_RETURN_IF_ERROR(Flatten(file, root, "", settings));
  } catch (const YAML::BadFile&) {
    return UserError("{}: error: cannot be read; does the file exist?", file);
  } catch (const YAML::Exception& e) {
    return UserError("{}:{}:{}: error: {}", file, e.mark.line + 1, e.mark.column + 1, e.msg);
  }
  return settings;
}

}  // namespace watershed
