#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "wsctl/commands/cluster_client.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_file.h"
#include "wsctl/job_json.h"

namespace watershed {

Outcome<void> SubmitCommand(const CommandContext& context, const std::string& file,
                            const RestoreFrom& from) {
  v1::SubmitJobRequest request;
  WS_ASSIGN_OR_RETURN(*request.mutable_graph(), LoadJob(context, file));
  const std::string name = request.graph().name();
  request.set_restore_path(from.path);
  request.mutable_restore_options()->set_fork(from.fork);
  request.mutable_restore_options()->set_allow_drained(from.allow_drained);
  request.mutable_restore_options()->set_allow_non_restored_state(from.allow_non_restored_state);
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context));
  WS_ASSIGN_OR_RETURN(v1::SubmitJobResponse response, client->Submit(request));
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
