// Waiting for what the cluster does, by asking for it: the service has no calls that wait.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "watershed/v1/control.pb.h"
#include "wsctl/commands/cluster_client.h"

namespace watershed {

inline constexpr std::chrono::seconds kAwayMax{30};
// For as long as it takes.
inline constexpr std::chrono::hours kNoTimeout{24 * 365};

// Again through a JobManager that is away for a while: jobs and stops outlive it, and of the rest
// its successor says that it knows nothing.
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

// "watched for 1min, as --timeout says"
tl::unexpected<Failure> WatchedOut(const JobClient& client);

// Asks for the job until `is_there` says yes. kTimedOut with the job's state and reason when the
// client's deadline comes first; `meanwhile` ends that message: "it goes on cancelling".
Outcome<v1::JobDetails> AwaitJob(JobClient& client, const std::string& job_id,
                                 const std::function<bool(const v1::JobDetails&)>& is_there,
                                 const std::string& meanwhile);

// A watch that --timeout has ended: `outcome`, or in the words of a watch if it is its end.
template <typename T>
Outcome<T> UnlessWatchedOut(const JobClient& client, Outcome<T> outcome) {
  if (!outcome && outcome.error().code == ExitCode::kTimedOut) return WatchedOut(client);
  return outcome;
}

// Counts Ctrl-C from now on, if the process can; sleeps until the time has passed or it came.
class Interrupts {
 public:
  explicit Interrupts(const CommandContext& context);
  // False when it was interrupted.
  bool SleepFor(std::chrono::milliseconds duration) const;
  bool came() const { return count_ != nullptr && *count_ > 0; }

 private:
  const std::atomic<int>* count_ = nullptr;
};

}  // namespace watershed
