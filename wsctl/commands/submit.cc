#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "wsctl/commands/cluster_client.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_file.h"
#include "wsctl/job_json.h"

namespace watershed {

Outcome<void> SubmitCommand(const CommandContext& context, const std::string& file,
                            const std::string& restore_path) {
  WS_ASSIGN_OR_RETURN(v1::JobGraph graph, LoadJob(context, file));
  std::string name = graph.name();
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context));
  WS_ASSIGN_OR_RETURN(v1::SubmitJobResponse response,
                      client->Submit(std::move(graph), restore_path));
  for (const std::string& warning : response.warnings()) {
    *context.console.err << fmt::format("warning: {}\n", warning);
  }
  if (context.options.output == OutputFormat::kJson) {
    nlohmann::ordered_json warnings = nlohmann::ordered_json::array();
    for (const std::string& warning : response.warnings()) warnings.push_back(warning);
    *context.console.out << ToText(
        {{"job-id", response.job_id()}, {"name", name}, {"warnings", std::move(warnings)}});
  } else {
    // Flink's words: scripts look for them.
    *context.console.out << fmt::format("Job has been submitted with JobID {}\n",
                                        response.job_id());
  }
  return {};
}

}  // namespace watershed
