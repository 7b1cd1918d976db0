#include "wsctl/commands/await.h"

#include <fmt/format.h>

#include "runtime/config/units.h"
#include "runtime/status/job_status.h"

namespace watershed {

Outcome<v1::JobDetails> AwaitJob(JobClient& client, const std::string& job_id,
                                 const std::function<bool(const v1::JobDetails&)>& is_there,
                                 const std::string& meanwhile) {
  while (true) {
    WS_ASSIGN_OR_RETURN(v1::JobDetails job, Persist(client, [&] { return client.Get(job_id); }));
    if (is_there(job)) return job;
    if (std::chrono::steady_clock::now() + kPollInterval >= client.deadline()) {
      const v1::JobSummary& summary = job.summary();
      return Fail(ExitCode::kTimedOut,
                  fmt::format("job {} is still {} after {}{}{}; {}. See: wsctl get {:.8}", job_id,
                              NameOf(summary.state()), FormatDuration(client.timeout()),
                              summary.status_reason().empty() ? "" : ": ", summary.status_reason(),
                              meanwhile, job_id));
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

tl::unexpected<Failure> WatchedOut(const JobClient& client) {
  return Fail(ExitCode::kTimedOut,
              fmt::format("watched for {}, as --timeout says", FormatDuration(client.timeout())));
}

Interrupts::Interrupts(const CommandContext& context) {
  if (context.watch_interrupts) count_ = &context.watch_interrupts();
}

bool Interrupts::SleepFor(std::chrono::milliseconds duration) const {
  constexpr std::chrono::milliseconds kTick{50};  // how soon Ctrl-C is seen
  const auto until = std::chrono::steady_clock::now() + duration;
  while (!came()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= until) return true;
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(kTick, until - now));
  }
  return false;
}

}  // namespace watershed
