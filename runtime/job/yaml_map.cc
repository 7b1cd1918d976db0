#include "runtime/job/yaml_map.h"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "runtime/config/units.h"
#include "runtime/connectors/option_values.h"
#include "runtime/job/nearest_name.h"

namespace watershed {
namespace {

Mark FromYaml(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

std::string_view KindOf(const YAML::Node& node) {
  if (node.IsMap()) return "a map";
  if (node.IsSequence()) return "a list";
  if (node.IsScalar()) return "a single value";
  return "nothing";
}

// `!tag value`: plain scalars carry "?", quoted ones "!".
bool HasTag(const YAML::Node& node) {
  const std::string& tag = node.Tag();
  return !tag.empty() && tag != "?" && tag != "!";
}

void ReportSyntaxError(const YAML::Exception& error, std::string_view text,
                       DiagnosticList& diagnostics) {
  const Mark mark = error.mark.is_null() ? Mark{} : FromYaml(error.mark);
  // The mistake people make: `{ topic: ${TOPIC} }`, where YAML takes the brace for a map.
  size_t begin = 0;
  for (int line = 1; line < mark.line && begin != std::string_view::npos; ++line) {
    begin = text.find('\n', begin);
    if (begin != std::string_view::npos) ++begin;
  }
  const std::string_view line =
      begin == std::string_view::npos ? "" : text.substr(begin, text.find('\n', begin) - begin);
  const bool has_reference = line.find("${") != std::string_view::npos;
  diagnostics.Error(mark, "YAML syntax: {}{}", error.msg,
                    has_reference ? "; inside { } and [ ], put quotes around \"${…}\"" : "");
}

// yaml-cpp ends an unclosed quoted scalar silently with the file. Such a scalar is the last one:
// this finds the scalar that begins last. Bounded, because aliases can make a small file a huge
// tree.
class LastScalar {
 public:
  explicit LastScalar(const YAML::Node& node) { Visit(node, 0); }
  const YAML::Mark& mark() const { return mark_; }

 private:
  void Visit(const YAML::Node& node, int depth) {
    constexpr int kDeepest = 64;
    constexpr int kMostNodes = 100'000;
    if (depth > kDeepest || ++visited_ > kMostNodes) return;
    if (node.IsScalar() && !node.Mark().is_null() && node.Mark().pos > mark_.pos) {
      mark_ = node.Mark();
    }
    for (const auto& child : node) {
      if (node.IsMap()) {
        Visit(child.first, depth + 1);
        Visit(child.second, depth + 1);
      } else {
        Visit(child, depth + 1);
      }
    }
  }

  YAML::Mark mark_ = YAML::Mark::null_mark();
  int visited_ = 0;
};

// Where the content of a document begins; builds nothing.
class DocumentBegin final : public YAML::EventHandler {
 public:
  const YAML::Mark& mark() const { return mark_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { See(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { See(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string&) override {
    See(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    See(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    See(mark);
  }
  void OnMapEnd() override {}

 private:
  void See(const YAML::Mark& mark) {
    if (mark_.is_null()) mark_ = mark;
  }

  YAML::Mark mark_ = YAML::Mark::null_mark();
};

// Not more than two are parsed: yaml-cpp 0.7 finds documents without end, none of them taking
// anything from the text, behind some that are wrong.
std::optional<YAML::Mark> SecondDocument(std::string_view text) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  DocumentBegin first;
  DocumentBegin second;
  if (!parser.HandleNextDocument(first) || !parser.HandleNextDocument(second)) return std::nullopt;
  return second.mark();
}

// The text from a mark on. yaml-cpp's columns count bytes.
std::string_view TextFrom(std::string_view text, const YAML::Mark& mark) {
  for (int line = 0; line < mark.line; ++line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text.remove_prefix(std::min(text.size(), static_cast<size_t>(mark.column)));
  return text;
}

bool IsUnclosedQuote(std::string_view text) {
  if (!text.starts_with('"') && !text.starts_with('\'')) return false;
  const char quote = text.front();
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == quote) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<YAML::Node> LoadYaml(std::string_view text, DiagnosticList& diagnostics) {
  YAML::Node document;
  std::optional<YAML::Mark> second;
  try {
    document = YAML::Load(std::string(text));
    second = SecondDocument(text);
  } catch (const YAML::Exception& error) {
    ReportSyntaxError(error, text, diagnostics);
    return std::nullopt;
  }
  if (document.IsNull()) {
    diagnostics.Error({}, "the file is empty; expected a job (kind: Job)");
    return std::nullopt;
  }
  if (second) {
    diagnostics.Error(second->is_null() ? Mark{} : FromYaml(*second),
                      "a second YAML document; expected one job a file");
    return std::nullopt;
  }
  const YAML::Mark last = LastScalar(document).mark();
  if (!last.is_null() && IsUnclosedQuote(TextFrom(text, last))) {
    diagnostics.Error(FromYaml(last), "YAML syntax: the closing quote is missing");
    return std::nullopt;
  }
  return document;
}

Mark MarkOf(const YAML::Node& node, Mark fallback) {
  const YAML::Mark mark = node.Mark();
  // An absent value has no place of its own; yaml-cpp reports the next token's.
  return mark.is_null() || node.IsNull() ? fallback : FromYaml(mark);
}

std::optional<MarkedText> ReadText(const YAML::Node& node, Mark fallback, std::string_view what,
                                   YamlContext& context) {
  const Mark mark = MarkOf(node, fallback);
  if (!node.IsScalar()) {
    context.diagnostics->Error(mark, "{}: expected a single value, found {}", what, KindOf(node));
    return std::nullopt;
  }
  if (HasTag(node)) {
    context.diagnostics->Error(mark, "{}: YAML tags such as '{}' have no meaning here", what,
                               node.Tag());
    return std::nullopt;
  }
  SubstitutedText text = Substitute(node.Scalar(), *context.substitution);
  for (const std::string& error : text.errors) {
    context.diagnostics->Error(mark, "{}: {}", what, error);
  }
  if (!text.errors.empty()) return std::nullopt;
  if (text.substituted && text.value.empty()) return std::nullopt;
  return MarkedText{std::move(text.value), mark, text.from_file};
}

std::string Shown(const MarkedText& text) {
  constexpr size_t kLongest = 80;
  if (text.from_file) return "******";
  if (text.value.size() <= kLongest) return text.value;
  return text.value.substr(0, kLongest) + "…";
}

YamlMap::YamlMap(const YAML::Node& node, Mark mark, std::string what, YamlContext& context)
    : context_(context), what_(std::move(what)), mark_(mark) {
  if (!node.IsMap()) {
    context.diagnostics->Error(MarkOf(node, mark), "{}: expected a map, found {}", what_,
                               KindOf(node));
    return;
  }
  if (HasTag(node)) {
    context.diagnostics->Error(
        MarkOf(node, mark), "{}: YAML tags such as '{}' have no meaning here", what_, node.Tag());
  }
  valid_ = true;
  for (const auto& pair : node) {
    const Mark key_mark = MarkOf(pair.first, mark);
    if (!pair.first.IsScalar() || pair.first.Scalar().empty()) {
      context.diagnostics->Error(key_mark, "{}: expected a name before ':', found {}", what_,
                                 pair.first.IsScalar() ? "nothing" : KindOf(pair.first));
      continue;
    }
    const std::string& name = pair.first.Scalar();
    const auto same = [&](const YamlEntry& entry) { return entry.key.value == name; };
    const auto first = std::find_if(entries_.begin(), entries_.end(), same);
    if (first != entries_.end()) {
      context.diagnostics->Error(key_mark, "{}: '{}' is given twice, first in line {}", what_, name,
                                 first->key.mark.line);
      continue;
    }
    entries_.push_back({{name, key_mark}, pair.second});
    taken_.push_back(false);
  }
}

bool YamlMap::has(std::string_view name) const {
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (!taken_[i] && entries_[i].key.value == name) return true;
  }
  return false;
}

std::optional<YamlEntry> YamlMap::Take(std::string_view name) {
  known_.emplace_back(name);
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (taken_[i] || entries_[i].key.value != name) continue;
    taken_[i] = true;
    return entries_[i];
  }
  return std::nullopt;
}

std::optional<MarkedText> YamlMap::TakeText(std::string_view name) {
  const std::optional<YamlEntry> entry = Take(name);
  if (!entry) return std::nullopt;
  return ReadText(entry->value, entry->key.mark, fmt::format("'{}'", name), context_);
}

std::optional<Marked<int64_t>> YamlMap::TakeDurationMs(std::string_view name, int64_t min_ms) {
  const std::optional<MarkedText> text = TakeText(name);
  if (!text) return std::nullopt;
  const Result<std::chrono::milliseconds> parsed = ParseDuration(text->value);
  if (!parsed) {
    const bool bare_number = ParseDouble(text->value).has_value();
    context_.diagnostics->Error(
        text->mark,
        "'{}': expected a duration with its unit, such as 500ms, 10s, 5min, 1h or 1d, {} '{}'",
        name, bare_number ? "found the bare number" : "found", Shown(*text));
    return std::nullopt;
  }
  const int64_t value_ms = parsed->count();
  if (value_ms < min_ms) {
    context_.diagnostics->Error(text->mark, "'{}': expected at least {}ms, found '{}'", name,
                                min_ms, Shown(*text));
    return std::nullopt;
  }
  return Marked<int64_t>{value_ms, text->mark};
}

std::optional<Marked<int32_t>> YamlMap::TakeCount(std::string_view name, int32_t min, int32_t max) {
  const std::optional<MarkedText> text = TakeText(name);
  if (!text) return std::nullopt;
  const Result<int64_t> parsed = ParseInt64(text->value);
  if (!parsed || *parsed < min || *parsed > max) {
    context_.diagnostics->Error(text->mark,
                                "'{}': expected a whole number from {} to {}, found '{}'", name,
                                min, max, Shown(*text));
    return std::nullopt;
  }
  return Marked<int32_t>{static_cast<int32_t>(*parsed), text->mark};
}

std::optional<double> YamlMap::TakeNumber(std::string_view name) {
  const std::optional<MarkedText> text = TakeText(name);
  if (!text) return std::nullopt;
  const Result<double> parsed = ParseDouble(text->value);
  if (!parsed) {
    context_.diagnostics->Error(text->mark, "'{}': expected a number, found '{}'", name,
                                Shown(*text));
    return std::nullopt;
  }
  return *parsed;
}

std::optional<bool> YamlMap::TakeBool(std::string_view name) {
  const std::optional<MarkedText> text = TakeText(name);
  if (!text) return std::nullopt;
  const Result<bool> parsed = ParseBool(text->value);
  if (!parsed) {
    context_.diagnostics->Error(text->mark, "'{}': expected true or false, found '{}'", name,
                                Shown(*text));
    return std::nullopt;
  }
  return *parsed;
}

std::optional<MarkedText> YamlMap::TakeChoice(std::string_view name,
                                              const std::vector<std::string_view>& choices) {
  std::optional<MarkedText> text = TakeText(name);
  if (!text) return std::nullopt;
  if (std::find(choices.begin(), choices.end(), text->value) != choices.end()) return text;
  context_.diagnostics->Error(text->mark, "'{}': '{}' is not one of its values{}", name,
                              Shown(*text), Suggestion(text->value, choices));
  return std::nullopt;
}

std::optional<YamlEntry> YamlMap::Require(std::string_view name, std::string_view expected) {
  std::optional<YamlEntry> entry = Take(name);
  if (!entry && valid_) {
    context_.diagnostics->Error(mark_, "{}: '{}' is missing; expected {}", what_, name, expected);
  }
  return entry;
}

std::optional<MarkedText> YamlMap::RequireText(std::string_view name, std::string_view expected) {
  const std::optional<YamlEntry> entry = Require(name, expected);
  if (!entry) return std::nullopt;
  const int errors_before = context_.diagnostics->errors();
  std::optional<MarkedText> text =
      ReadText(entry->value, entry->key.mark, fmt::format("'{}'", name), context_);
  const bool reported = context_.diagnostics->errors() > errors_before;
  if (!reported && (!text || text->value.empty())) {
    context_.diagnostics->Error(MarkOf(entry->value, entry->key.mark),
                                "{}: '{}' is empty; expected {}", what_, name, expected);
    return std::nullopt;
  }
  return text;
}

std::vector<YamlEntry> YamlMap::TakeRest() {
  std::vector<YamlEntry> rest;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (taken_[i]) continue;
    taken_[i] = true;
    rest.push_back(entries_[i]);
  }
  return rest;
}

void YamlMap::Finish() {
  const std::vector<std::string_view> known(known_.begin(), known_.end());
  for (const YamlEntry& entry : TakeRest()) {
    context_.diagnostics->Error(entry.key.mark, "{}: unknown field '{}'{}", what_, entry.key.value,
                                Suggestion(entry.key.value, known));
  }
}

}  // namespace watershed
