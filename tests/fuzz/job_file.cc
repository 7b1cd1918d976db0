#include "runtime/job/compile.h"
#include "runtime/job/physical_planner.h"
#include "tests/fuzz/targets.h"

namespace watershed::fuzz {

void JobFile(std::string_view bytes) {
  CompileOptions options;
  options.variables = {{"NAME", "value"}, {"EMPTY", ""}, {"PORT", "5432"}};
  options.read_file = [](const std::string& path) -> Result<std::string> {
    if (path == "/run/secrets/x") return std::string("secret");
    return UserError("there is no file {}", path);
  };
  const CompileResult result = CompileJobFile(bytes, options);
  (void)ToString(result.diagnostics);
  // Whoever is refused is told why.
  Must(result.ok() || !result.diagnostics.empty());
  if (!result.ok()) return;
  if (const auto plan = PlanJob(*result.graph, {})) (void)ToText(*plan);
}

}  // namespace watershed::fuzz
