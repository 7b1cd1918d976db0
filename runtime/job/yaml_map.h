// Strict reading of YAML maps: every field is taken by name and type, and what is left is unknown.
// YAML that yaml-cpp accepts silently (two equal keys, several documents, tags) is an error here.
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/job/diagnostic_list.h"
#include "runtime/job/source_mark.h"
#include "runtime/job/substitution.h"
#include "runtime/types/result.h"

namespace watershed {

struct YamlContext {
  DiagnosticList* diagnostics = nullptr;
  const SubstitutionContext* substitution = nullptr;
};

// Never assign to a YAML::Node: that changes the document it refers to. Copies are references.
struct YamlEntry {
  MarkedText key;  // never substituted
  const YAML::Node value;
};

// The only document of the text, or nullopt after an error.
std::optional<YAML::Node> LoadYaml(std::string_view text, DiagnosticList& diagnostics);

// Position of a node; that of `fallback` where YAML has none (an empty value).
Mark MarkOf(const YAML::Node& node, Mark fallback);

// A scalar with its references filled in. After an error (not a scalar, empty, a missing variable),
// or when variables made it empty, which counts as not given: nullopt. `what` names it in messages.
std::optional<MarkedText> ReadText(const YAML::Node& node, Mark fallback, std::string_view what,
                                   YamlContext& context);

// How a value may be repeated in a message.
std::string Shown(const MarkedText& text);

// The fields of one map. Takes remember the names asked for, for the suggestions of Finish.
class YamlMap {
 public:
  // `what` names the map in messages: "source 'events'"; `mark` is where that name stands. Reports
  // what is no map, and equal keys.
  YamlMap(const YAML::Node& node, Mark mark, std::string what, YamlContext& context);

  bool valid() const { return valid_; }  // it is a map
  // Where the map got its name: what is missing in it is reported there.
  Mark mark() const { return mark_; }
  const std::string& what() const { return what_; }
  bool has(std::string_view name) const;

  // Each takes a field out; nullopt if it is absent or was wrong (then reported). The Require forms
  // also report absence. Durations and counts are checked against a least value.
  std::optional<YamlEntry> Take(std::string_view name);
  std::optional<MarkedText> TakeText(std::string_view name);
  std::optional<Marked<int64_t>> TakeDurationMs(std::string_view name, int64_t min_ms);
  std::optional<Marked<int32_t>> TakeCount(std::string_view name, int32_t min, int32_t max);
  std::optional<double> TakeNumber(std::string_view name);
  std::optional<bool> TakeBool(std::string_view name);
  // One of `choices`.
  std::optional<MarkedText> TakeChoice(std::string_view name,
                                       const std::vector<std::string_view>& choices);
  std::optional<YamlEntry> Require(std::string_view name, std::string_view expected);
  std::optional<MarkedText> RequireText(std::string_view name, std::string_view expected);

  // Everything not taken: options of connectors, names of nodes or columns.
  std::vector<YamlEntry> TakeRest();
  // Reports every field not taken as unknown.
  void Finish();

 private:
  YamlContext& context_;
  std::string what_;
  Mark mark_;
  bool valid_ = false;
  std::vector<YamlEntry> entries_;
  std::vector<bool> taken_;         // of each entry
  std::vector<std::string> known_;  // asked for so far
};

}  // namespace watershed
