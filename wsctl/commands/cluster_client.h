// The client of the commands that talk to a cluster.
#pragma once

#include <memory>

#include "wsctl/command_context.h"
#include "wsctl/job_client.h"

namespace watershed {

inline constexpr std::chrono::milliseconds kDefaultTimeout{30'000};
// Of commands that wait: the service has no calls that do.
inline constexpr std::chrono::milliseconds kPollInterval{100};

inline Outcome<std::unique_ptr<JobClient>> ClientFor(
    const CommandContext& context, std::chrono::milliseconds default_timeout = kDefaultTimeout) {
  return JobClient::Create(context.options.jobmanager,
                           context.options.timeout.value_or(default_timeout));
}

}  // namespace watershed
