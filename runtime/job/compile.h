// Compiles a job file: YAML text → JobSpec → validated JobGraph. A pure function: variables, files
// and connectors come in through CompileOptions. The language is described in docs/job-file.md.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/connectors/connector.h"
#include "runtime/job/diagnostic.h"
#include "runtime/job/source_mark.h"
#include "runtime/types/result.h"
#include "watershed/v1/job_graph.pb.h"

namespace watershed {

using Variables = std::map<std::string, std::string, std::less<>>;

struct CompileOptions {
  std::string file_name = "job.yaml";  // for messages only
  // Values of ${NAME}. Callers merge the environment and --env-file; the file wins there.
  Variables variables;
  // Reads the file of ${file:/path}; a trailing newline is dropped. Absent: such references are
  // errors.
  std::function<Result<std::string>(const std::string& path)> read_file;
  // The connectors that exist; absent: AllConnectors().
  std::optional<std::span<const ConnectorSpec>> connectors;
};

struct CompileResult {
  std::optional<v1::JobGraph> graph;    // present exactly when there is no error
  std::vector<Diagnostic> diagnostics;  // every error found, and warnings, by position
  // Where things stand, for messages about them: "job", "source events", "source events topic" (an
  // option), "source events columns.ip", "sink out table-name".
  std::map<std::string, Mark, std::less<>> marks;

  bool ok() const { return graph.has_value(); }
};

// Finds all errors it can, not only the first. Messages never contain the value of a secret.
CompileResult CompileJobFile(std::string_view text, const CompileOptions& options);

// Makes every source end: at the topic's present end where the connector can say so (an option
// `scan.bounded.mode`, which is set to `latest-offset`), else the source must be bounded already. A
// user error names the source that has no end.
Status MakeBounded(v1::JobGraph& graph);

}  // namespace watershed
