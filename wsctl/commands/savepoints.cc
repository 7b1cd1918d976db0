// checkpoint, savepoint, stop: what the JobManager takes a while to do, and is asked for until it
// is done.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "runtime/config/units.h"
#include "runtime/types/random_hex.h"
#include "wsctl/commands/cluster_client.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_json.h"
#include "wsctl/job_reference.h"

namespace watershed {
namespace {

// A savepoint copies the whole state, as long as a checkpoint may take by default.
constexpr std::chrono::milliseconds kOperationTimeout{600'000};
constexpr std::chrono::seconds kAwayMax{30};

struct Asked {
  std::string job_id;
  std::string operation_id;
};
using Ask = std::function<Outcome<void>(JobClient&, const Asked&)>;

// Again through a JobManager that is away for a while: a stop outlives it, and of the rest its
// successor says that it knows nothing.
template <typename Call>
auto Persist(const JobClient& client, const Call& call) {
  const auto until =
      std::min(std::chrono::steady_clock::now() + kAwayMax, client.deadline() - kPollInterval);
  while (true) {
    auto outcome = call();
    const bool is_away = !outcome && outcome.error().code == ExitCode::kUnreachable;
    if (!is_away || std::chrono::steady_clock::now() >= until) return outcome;
    std::this_thread::sleep_for(kPollInterval);
  }
}

Outcome<v1::Operation> Await(const CommandContext& context, JobClient& client, const Asked& asked) {
  while (true) {
    WS_ASSIGN_OR_RETURN(const v1::Operation operation, Persist(client, [&] {
                          return client.Operation(asked.job_id, asked.operation_id);
                        }));
    if (operation.status() != v1::Operation::OPERATION_IN_PROGRESS) return operation;
    if (std::chrono::steady_clock::now() + kPollInterval >= client.deadline()) {
      return Fail(ExitCode::kTimedOut,
                  fmt::format("it is still under way after {} and goes on. See: wsctl get {:.8}",
                              FormatDuration(context.options.timeout.value_or(kOperationTimeout)),
                              asked.job_id));
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

Outcome<void> AskAndAwait(const CommandContext& context, const std::string& reference,
                          const std::string& what, const Ask& ask) {
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context, kOperationTimeout));
  WS_ASSIGN_OR_RETURN(const std::string job_id, FindJobId(*client, reference));
  const Asked asked{job_id, RandomHex()};
  WS_RETURN_IF_ERROR(Persist(*client, [&] { return ask(*client, asked); }));
  WS_ASSIGN_OR_RETURN(const v1::Operation operation, Await(context, *client, asked));
  if (operation.status() == v1::Operation::OPERATION_FAILED) {
    return Fail(ExitCode::kFailed, fmt::format("job {}: {}", job_id, operation.failure()));
  }
  if (context.options.output == OutputFormat::kJson) {
    *context.console.out << ToText({{"job-id", job_id},
                                    {"checkpoint-id", operation.checkpoint_id()},
                                    {"path", operation.path()}});
  } else {
    // Flink's words: scripts look for them.
    *context.console.out << fmt::format("{} completed. Path: {}\n", what, operation.path());
  }
  return {};
}

}  // namespace

Outcome<void> CheckpointCommand(const CommandContext& context, const std::string& job) {
  return AskAndAwait(context, job, "Checkpoint", [](JobClient& client, const Asked& asked) {
    v1::RequestCheckpointRequest request;
    request.set_job_id(asked.job_id);
    request.set_operation_id(asked.operation_id);
    return client.RequestCheckpoint(request);
  });
}

Outcome<void> SavepointCommand(const CommandContext& context, const std::string& job,
                               const std::string& directory) {
  return AskAndAwait(context, job, "Savepoint", [&](JobClient& client, const Asked& asked) {
    v1::TriggerSavepointRequest request;
    request.set_job_id(asked.job_id);
    request.set_operation_id(asked.operation_id);
    request.set_directory(directory);
    return client.TriggerSavepoint(request);
  });
}

Outcome<void> StopCommand(const CommandContext& context, const std::string& job,
                          const std::string& directory, bool drain) {
  return AskAndAwait(context, job, "Savepoint", [&](JobClient& client, const Asked& asked) {
    v1::StopWithSavepointRequest request;
    request.set_job_id(asked.job_id);
    request.set_operation_id(asked.operation_id);
    request.set_directory(directory);
    request.set_drain(drain);
    return client.StopWithSavepoint(request);
  });
}

Outcome<void> DisposeCommand(const CommandContext& context, const std::string& path) {
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context, kOperationTimeout));
  WS_RETURN_IF_ERROR(client->DisposeSavepoint(path));
  if (context.options.output == OutputFormat::kJson) {
    *context.console.out << ToText({{"disposed", path}});
  } else {
    *context.console.out << fmt::format("Savepoint '{}' disposed.\n", path);
  }
  return {};
}

}  // namespace watershed
