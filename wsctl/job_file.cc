#include "wsctl/job_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <ostream>
#include <sstream>
#include <utility>

#include "runtime/job/env_file.h"

namespace watershed {
namespace {

constexpr size_t kFileBytesMax = 4 << 20;  // of a job file, an env file or a ${file:…}

Result<std::string> ReadFrom(std::istream& stream, const std::string& path) {
  std::string text(kFileBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  if (stream.bad()) return UserError("{}: cannot be read: {}", path, std::strerror(errno));
  if (text.size() > kFileBytesMax) {
    return UserError("{}: cannot be read: larger than {} MB", path, kFileBytesMax >> 20);
  }
  return text;
}

Result<std::string> ReadFile(const std::string& path) {
  if (path == "-") return ReadFrom(std::cin, "standard input");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return UserError("{}: cannot be read: {}", path, std::strerror(errno));
  return ReadFrom(stream, path);  // a directory opens, but reading it fails
}

}  // namespace

Outcome<std::string> ReadTextFile(const std::string& path) {
  Result<std::string> text = ReadFile(path);
  if (!text) return Fail(ExitCode::kUsage, text.error().message);
  return *text;
}

Outcome<Variables> JobVariables(const CommandContext& context) {
  Variables variables = context.environment;
  for (const std::string& path : context.options.env_files) {
    WS_ASSIGN_OR_RETURN(std::string text, ReadTextFile(path));
    auto parsed = ParseEnvFile(text, path);
    if (!parsed) return Fail(ExitCode::kUsage, parsed.error().message);
    for (auto& [name, value] : *parsed) variables[name] = std::move(value);
  }
  return variables;
}

Outcome<CompileResult> CompileFile(const Variables& variables, const std::string& path) {
  WS_ASSIGN_OR_RETURN(std::string text, ReadTextFile(path));
  CompileOptions options;
  options.file_name = path == "-" ? "standard input" : path;
  options.variables = variables;
  options.read_file = ReadFile;
  return CompileJobFile(text, options);
}

Outcome<v1::JobGraph> LoadJob(const CommandContext& context, const std::string& path) {
  WS_ASSIGN_OR_RETURN(Variables variables, JobVariables(context));
  WS_ASSIGN_OR_RETURN(CompileResult compiled, CompileFile(variables, path));
  if (!compiled.diagnostics.empty()) *context.console.err << ToString(compiled.diagnostics);
  if (!compiled.ok()) {
    auto errors = std::count_if(
        compiled.diagnostics.begin(), compiled.diagnostics.end(),
        [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::kError; });
    return Fail(ExitCode::kUsage, fmt::format("{} {} in {}; nothing was started", errors,
                                              errors == 1 ? "error" : "errors", path));
  }
  v1::JobGraph graph = std::move(*compiled.graph);
  if (context.options.parallelism) graph.set_parallelism(*context.options.parallelism);
  return graph;
}

}  // namespace watershed
