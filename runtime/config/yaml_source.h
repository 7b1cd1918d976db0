// Flattens a config.yaml into settings with their places.
#pragma once

#include <string>
#include <vector>

#include "runtime/types/result.h"

namespace watershed {

struct YamlSetting {
  std::string key;  // dotted, whichever way it was written
  std::string value;
  int line = 0;  // from 1
  int column = 0;
};

// In the file's order. A file that cannot be read or parsed is a user error with its place.
Result<std::vector<YamlSetting>> ReadYamlSettings(const std::string& file);

}  // namespace watershed
