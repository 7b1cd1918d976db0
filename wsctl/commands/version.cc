#include "runtime/version/version.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "wsctl/commands/cluster_client.h"
#include "wsctl/commands/commands.h"
#include "wsctl/output.h"

namespace watershed {

Outcome<void> VersionCommand(const CommandContext& context, bool cluster) {
  std::optional<v1::GetVersionResponse> jobmanager;
  if (cluster) {
    WS_ASSIGN_OR_RETURN(auto client, ClientFor(context));
    WS_ASSIGN_OR_RETURN(jobmanager, client->Version());
  }
  nlohmann::ordered_json json = {{"version", BuildVersion()}, {"commit", BuildCommit()}};
  if (jobmanager) {
    json["jobmanager"] = {{"version", jobmanager->version()}, {"commit", jobmanager->commit()}};
  }
  Print(context, {.json = std::move(json),
                  .names = {std::string(BuildVersion())},
                  .text = [&](std::ostream& out, bool) {
                    out << fmt::format("wsctl {} (commit {})\n", BuildVersion(), BuildCommit());
                    if (!jobmanager) return;
                    out << fmt::format("jobmanager {} (commit {})\n", jobmanager->version(),
                                       jobmanager->commit());
                  }});
  return {};
}

}  // namespace watershed
