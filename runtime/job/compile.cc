#include "runtime/job/compile.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "runtime/job/diagnostic_list.h"
#include "runtime/job/node_resolver.h"
#include "runtime/job/resolver.h"
#include "runtime/job/spec_reader.h"
#include "runtime/job/utf8.h"
#include "runtime/job/yaml_map.h"

namespace watershed {
namespace {

// Whether the text is UTF-8; what is not is told.
bool CheckEncoding(std::string_view text, DiagnosticList& diagnostics) {
  const std::optional<size_t> invalid = FindInvalidUtf8(text);
  if (!invalid) return true;
  const std::string_view before = text.substr(0, *invalid);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 = 0
  diagnostics.Error({static_cast<int>(line), static_cast<int>(*invalid - line_begin) + 1},
                    "byte 0x{:02x} is not UTF-8; save the file as UTF-8",
                    static_cast<unsigned char>(text[*invalid]));
  return false;
}

// yaml-cpp's columns count bytes; people count characters.
void CountCharacters(std::string_view text, std::vector<Diagnostic>& diagnostics) {
  int line = 1;
  for (Diagnostic& diagnostic : diagnostics) {  // by position
    for (; line < diagnostic.line; ++line) {
      const size_t end = text.find('\n');
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
    const std::string_view before = text.substr(0, static_cast<size_t>(diagnostic.column - 1));
    for (const unsigned char c : before) {
      if ((c & 0xC0) == 0x80) --diagnostic.column;
    }
  }
}

// As diagnostics, whose columns can be counted like theirs; the message is the key.
std::vector<Diagnostic> MarksOf(const JobSpec& spec) {
  std::vector<Diagnostic> marks;
  const auto add = [&marks](const Mark& mark, std::string key) {
    marks.push_back({.line = mark.line, .column = mark.column, .message = std::move(key)});
  };
  const auto add_node = [&add](const std::string& key, const auto& node) {
    add(node.name.mark, key);
    add(node.connector.mark, key + " connector");
    for (const OptionEntry& option : node.options) {
      add(option.value.mark, key + " " + option.name.value);
    }
  };
  add(spec.name.mark, "job");
  for (const SourceSpec& source : spec.sources) {
    const std::string key = "source " + source.name.value;
    add_node(key, source);
    if (source.on_error && source.on_error->action == OnErrorAction::kDeadLetter) {
      const std::string sink = "sink " + DeadLetterSinkName(source).value;
      add(source.on_error->mark, sink);
      for (const OptionEntry& option : source.on_error->options) {
        add(option.value.mark, sink + " " + option.name.value);
      }
    }
    for (const ColumnSpec& column : source.columns) {
      add(column.name.mark, key + " columns." + column.name.value);
    }
  }
  for (const SinkSpec& sink : spec.sinks) add_node("sink " + sink.name.value, sink);
  std::stable_sort(marks.begin(), marks.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  return marks;
}

}  // namespace

CompileResult CompileJobFile(std::string_view text, const CompileOptions& options) {
  DiagnosticList diagnostics(options.file_name);
  const SubstitutionContext substitution{&options.variables, options.read_file};
  YamlContext context{&diagnostics, &substitution};
  CompileResult result;
  const bool is_text = CheckEncoding(text, diagnostics);
  const auto document = is_text ? LoadYaml(text, diagnostics) : std::nullopt;
  if (document) {
    if (const std::optional<JobSpec> spec = ReadJobSpec(*document, context)) {
      const auto connectors = options.connectors ? *options.connectors : AllConnectors();
      v1::JobGraph graph = ResolveJob(*spec, connectors, diagnostics);
      if (diagnostics.errors() == 0) result.graph = std::move(graph);
      std::vector<Diagnostic> marks = MarksOf(*spec);
      CountCharacters(text, marks);
      for (const Diagnostic& mark : marks) result.marks[mark.message] = {mark.line, mark.column};
    }
  }
  result.diagnostics = diagnostics.Sorted();
  CountCharacters(text, result.diagnostics);
  return result;
}

}  // namespace watershed
