#include "runtime/job/compile.h"

#include <utility>

#include "runtime/job/diagnostic_list.h"
#include "runtime/job/resolver.h"
#include "runtime/job/spec_reader.h"
#include "runtime/job/yaml_map.h"

namespace watershed {

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
  return result;
}

}  // namespace watershed
