#include "runtime/job/compile.h"

#include <utility>

#include "runtime/job/diagnostic_list.h"
#include "runtime/job/resolver.h"
#include "runtime/job/spec_reader.h"
#include "runtime/job/yaml_map.h"

namespace watershed {
namespace {

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

}  // namespace

CompileResult CompileJobFile(std::string_view text, const CompileOptions& options) {
  DiagnosticList diagnostics(options.file_name);
  const SubstitutionContext substitution{&options.variables, options.read_file};
  YamlContext context{&diagnostics, &substitution};
  CompileResult result;
  if (const std::optional<YAML::Node> document = LoadYaml(text, diagnostics)) {
    if (const std::optional<JobSpec> spec = ReadJobSpec(*document, context)) {
      const auto connectors = options.connectors ? *options.connectors : AllConnectors();
      v1::JobGraph graph = ResolveJob(*spec, connectors, diagnostics);
      if (diagnostics.errors() == 0) result.graph = std::move(graph);
    }
  }
  result.diagnostics = diagnostics.Sorted();
  CountCharacters(text, result.diagnostics);
  return result;
}

}  // namespace watershed
