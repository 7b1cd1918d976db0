#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "runtime/job/physical_planner.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_file.h"
#include "wsctl/output.h"
#include "wsctl/sink_guarantee.h"

namespace watershed {
namespace {

using Json = nlohmann::ordered_json;

struct LintedFile {
  std::string path;
  std::vector<Diagnostic> diagnostics;
  std::optional<v1::JobGraph> graph;
  int errors = 0;
  int warnings = 0;
};

void AddError(LintedFile& file, std::string message) {
  file.diagnostics.push_back({.file = file.path, .message = std::move(message)});
}

LintedFile LintFile(const CommandContext& context, const Variables& variables,
                    const std::string& path) {
  LintedFile file{.path = path};
  Outcome<CompileResult> compiled = CompileFile(variables, path);
  if (!compiled) {
    // "FILE: cannot be read: …": the diagnostic names the file itself.
    std::string message = compiled.error().message;
    if (message.starts_with(path + ": ")) message.erase(0, path.size() + 2);
    AddError(file, message);
  } else {
    file.diagnostics = std::move(compiled->diagnostics);
    file.graph = std::move(compiled->graph);
  }
  if (file.graph) {
    PlanOptions options;
    options.parallelism = context.options.parallelism;
    if (auto plan = PlanJob(*file.graph, options); !plan) AddError(file, plan.error().message);
  }
  for (const Diagnostic& diagnostic : file.diagnostics) {
    ++(diagnostic.severity == Severity::kError ? file.errors : file.warnings);
  }
  return file;
}

void PrintText(std::ostream& out, const LintedFile& file) {
  for (const Diagnostic& diagnostic : file.diagnostics) out << ToString(diagnostic) << '\n';
  if (file.errors > 0 || !file.graph) return;
  out << fmt::format("{}: job '{}' is valid\n", file.path, file.graph->name());
  for (const v1::SinkNode& sink : file.graph->sinks()) {
    const SinkGuarantee guarantee = GuaranteeOf(*file.graph, sink);
    out << fmt::format("  sink '{}' ({}): delivery {}: {}\n", sink.name(), sink.connector().name(),
                       guarantee.delivery, guarantee.meaning);
  }
}

Json FileToJson(const LintedFile& file) {
  Json diagnostics = Json::array();
  for (const Diagnostic& diagnostic : file.diagnostics) {
    diagnostics.push_back(
        {{"line", diagnostic.line},
         {"column", diagnostic.column},
         {"severity", diagnostic.severity == Severity::kError ? "error" : "warning"},
         {"message", diagnostic.message}});
  }
  Json sinks = Json::array();
  if (file.graph) {
    for (const v1::SinkNode& sink : file.graph->sinks()) {
      const SinkGuarantee guarantee = GuaranteeOf(*file.graph, sink);
      sinks.push_back({{"name", sink.name()},
                       {"connector", sink.connector().name()},
                       {"delivery", guarantee.delivery},
                       {"delivery-meaning", guarantee.meaning}});
    }
  }
  return {{"file", file.path},
          {"valid", file.errors == 0},
          {"job", file.graph ? Json(file.graph->name()) : Json()},
          {"diagnostics", std::move(diagnostics)},
          {"sinks", std::move(sinks)}};
}

std::string Count(int number, const char* what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

}  // namespace

Outcome<void> LintCommand(const CommandContext& context, const std::vector<std::string>& files) {
  WS_ASSIGN_OR_RETURN(Variables variables, JobVariables(context));
  int errors = 0, warnings = 0;
  Answer answer{.json = {{"files", Json::array()}}};
  std::vector<LintedFile> linted;
  for (const std::string& path : files) {
    const LintedFile& file = linted.emplace_back(LintFile(context, variables, path));
    errors += file.errors;
    warnings += file.warnings;
    answer.json["files"].push_back(FileToJson(file));
    if (file.errors == 0) answer.names.push_back(file.graph->name());
  }
  answer.json["errors"] = errors;
  answer.json["warnings"] = warnings;
  answer.text = [&](std::ostream& out, bool) {
    for (const LintedFile& file : linted) PrintText(out, file);
    out << fmt::format("{}: {}, {}\n", Count(static_cast<int>(files.size()), "file"),
                       Count(errors, "error"), Count(warnings, "warning"));
  };
  Print(context, answer);
  if (errors > 0) return Fail(ExitCode::kUsage, "");
  return {};
}

}  // namespace watershed
