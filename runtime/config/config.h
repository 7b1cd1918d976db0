// The configuration of a process: defaults, then config.yaml, then -Dkey=value. Every value is
// checked when it is loaded, so reading one cannot fail. Immutable after loading; safe to share.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/config/options.h"
#include "runtime/types/result.h"

namespace watershed {

class Config {
 public:
  Config() = default;  // all defaults

  // `file` may be empty. In it, `a.b: v` and nested `a: {b: v}` mean the same. `overrides` are
  // "key=value". Unknown keys, wrong values and keys given twice in the file are errors that say
  // where; all problems are listed, one per line.
  static Result<Config> Load(const std::string& file, const std::vector<std::string>& overrides);

  const std::string& Get(const ConfigOption<std::string>& option) const;
  int64_t Get(const ConfigOption<int64_t>& option) const;
  bool Get(const ConfigOption<bool>& option) const;
  std::chrono::milliseconds Get(const ConfigOption<std::chrono::milliseconds>& option) const;
  PortRange Get(const ConfigOption<PortRange>& option) const;

  // Sets one value as -Dkey=value does, for tests and for programs with flags of their own.
  Status Set(std::string_view key, std::string value);
  bool IsSet(std::string_view key) const { return values_.count(std::string(key)) > 0; }
  // Every option of the table with the value in force, sorted by key (the /config page).
  std::vector<std::pair<std::string, std::string>> Effective() const;

 private:
  const std::string& Text(const OptionDefinition& option) const;
  std::map<std::string, std::string, std::less<>> values_;  // only what was set
};

// "9249", "9249-9260" or "0".
Result<PortRange> ParsePorts(std::string_view text);

}  // namespace watershed
