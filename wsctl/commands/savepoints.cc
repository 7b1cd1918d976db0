// checkpoint, savepoint, stop: what the JobManager takes a while to do, and is asked for until it
// is done.
#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "runtime/config/units.h"
#include "runtime/status/job_status.h"
#include "runtime/types/random_hex.h"
#include "wsctl/commands/await.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_reference.h"
#include "wsctl/output.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

// A savepoint copies the whole state, as long as a checkpoint may take by default.
constexpr std::chrono::milliseconds kOperationTimeout{600'000};

struct Asked {
  std::string job_id;
  std::string operation_id;
};
using Ask = std::function<Outcome<void>(JobClient&, const Asked&)>;

tl::unexpected<Failure> GoesOn(const JobClient& client, const Asked& asked) {
  return Fail(ExitCode::kTimedOut,
              fmt::format("it is still under way after {} and goes on. See: wsctl get {:.8}",
                          FormatDuration(client.timeout()), asked.job_id));
}

// Once it has been accepted: then it goes on also when no answer comes.
Outcome<v1::Operation> Await(JobClient& client, const Asked& asked) {
  while (true) {
    auto operation =
        Persist(client, [&] { return client.Operation(asked.job_id, asked.operation_id); });
    if (!operation && operation.error().code == ExitCode::kTimedOut) return GoesOn(client, asked);
    WS_RETURN_IF_ERROR(operation);
    if (operation->status() != v1::Operation::OPERATION_IN_PROGRESS) return operation;
    if (std::chrono::steady_clock::now() + kPollInterval >= client.deadline()) {
      return GoesOn(client, asked);
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

// Through a JobManager that is away, which is said: the address may be wrong.
Outcome<std::string> FindRunningJobId(const CommandContext& context, JobClient& client,
                                      const std::string& reference) {
  bool is_told = false;
  return Persist(client, [&]() -> Outcome<std::string> {
    auto found = FindJobId(client, reference, JobPurpose::kChange);
    if (found || found.error().code != ExitCode::kUnreachable || is_told) return found;
    is_told = true;
    *context.console.err << fmt::format("{}; waiting for it for up to {}\n", found.error().message,
                                        FormatDuration(std::min<std::chrono::milliseconds>(
                                            kAwayMax, client.timeout())))
                         << std::flush;
    return found;
  });
}

// A stop of a job that waits for slots takes as long as that.
Outcome<void> SayWhatItWaitsFor(const CommandContext& context, JobClient& client,
                                const std::string& job_id) {
  WS_ASSIGN_OR_RETURN(const v1::JobDetails job,
                      Persist(client, [&] { return client.Get(job_id); }));
  const v1::JobSummary& summary = job.summary();
  if (summary.state() == v1::RUNNING || IsEnded(summary.state())) return {};
  *context.console.err << fmt::format("job {} is {}: {}\n", job_id, NameOf(summary.state()),
                                      Printable(summary.status_reason()))
                       << std::flush;
  return {};
}

Outcome<void> AskAndAwait(const CommandContext& context, const std::string& reference,
                          const std::string& what, const Ask& ask) {
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context, kOperationTimeout));
  WS_ASSIGN_OR_RETURN(const std::string job_id, FindRunningJobId(context, *client, reference));
  const Asked asked{job_id, RandomHex()};
  WS_RETURN_IF_ERROR(Persist(*client, [&] { return ask(*client, asked); }));
  WS_RETURN_IF_ERROR(SayWhatItWaitsFor(context, *client, job_id));
  WS_ASSIGN_OR_RETURN(const v1::Operation operation, Await(*client, asked));
  if (operation.status() == v1::Operation::OPERATION_FAILED) {
    return Fail(ExitCode::kFailed, fmt::format("job {}: {}", job_id, operation.failure()));
  }
  Print(context, {.json = {{"job-id", job_id},
                           {"checkpoint-id", operation.checkpoint_id()},
                           {"path", operation.path()}},
                  .names = {operation.path()},
                  .text = [&](std::ostream& out, bool) {
                    // Flink's words: scripts look for them.
                    out << fmt::format("{} completed. Path: {}\n", what, operation.path());
                  }});
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
                          const StopOptions& options) {
  const Ask ask = [&](JobClient& client, const Asked& asked) {
    v1::StopWithSavepointRequest request;
    request.set_job_id(asked.job_id);
    request.set_operation_id(asked.operation_id);
    request.set_directory(options.directory);
    request.set_drain(options.drain);
    return client.StopWithSavepoint(request);
  };
  if (options.wait) return AskAndAwait(context, job, "Savepoint", ask);
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context));
  WS_ASSIGN_OR_RETURN(const std::string job_id, FindRunningJobId(context, *client, job));
  const Asked asked{job_id, RandomHex()};
  WS_RETURN_IF_ERROR(Persist(*client, [&] { return ask(*client, asked); }));
  WS_ASSIGN_OR_RETURN(const v1::JobDetails now,
                      Persist(*client, [&] { return client->Get(job_id); }));
  PrintJobState(context, now.summary(), /*with_reason=*/true);
  return {};
}

Outcome<void> DisposeCommand(const CommandContext& context, const std::string& path) {
  WS_ASSIGN_OR_RETURN(auto client, ClientFor(context, kOperationTimeout));
  WS_RETURN_IF_ERROR(client->DisposeSavepoint(path));
  Print(context,
        {.json = {{"disposed", path}}, .names = {path}, .text = [&](std::ostream& out, bool) {
           out << fmt::format("Savepoint '{}' disposed.\n", path);
         }});
  return {};
}

}  // namespace watershed
