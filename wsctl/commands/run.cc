#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/config/units.h"
#include "runtime/job/physical_planner.h"
#include "wsctl/commands/commands.h"
#include "wsctl/job_file.h"
#include "wsctl/output.h"
#include "wsctl/run_progress.h"
#include "wsctl/table.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kTick{100};     // how soon Ctrl-C is seen
constexpr std::chrono::milliseconds kRefresh{500};  // of the progress line
constexpr const char* kClearLine = "\r\x1b[K";

enum class StopReason : uint8_t { kNone, kInterrupted, kTimedOut };

// Follows a started job to its end: progress, Ctrl-C, --timeout.
class RunMonitor {
 public:
  RunMonitor(const CommandContext& context, JobRunner& runner)
      : context_(context), runner_(runner), started_(context.clock->Steady()) {
    if (context.watch_interrupts) interrupts_ = &context.watch_interrupts();
  }

  StopReason AwaitEnd() {
    while (!runner_.WaitFor(kTick)) {
      if (stop_ == StopReason::kNone) CheckForStop();
      Report();
    }
    if (context_.console.err_is_terminal) *context_.console.err << kClearLine << std::flush;
    return stop_;
  }

  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock->Steady() -
                                                                 started_);
  }

  // What the job was waiting for when it was last asked; may be empty.
  const std::string& degraded_reason() const { return degraded_reason_; }

 private:
  void CheckForStop() {
    if (interrupts_ != nullptr && *interrupts_ > 0) {
      stop_ = StopReason::kInterrupted;
    } else if (context_.options.timeout && elapsed() >= *context_.options.timeout) {
      stop_ = StopReason::kTimedOut;
    } else {
      return;
    }
    runner_.Cancel();
  }

  void Report() {
    std::chrono::nanoseconds now = context_.clock->Steady();
    if (reported_ && now - last_report_ < kRefresh) return;
    reported_ = true;
    last_report_ = now;
    JobProgress progress = runner_.progress();
    if (context_.console.err_is_terminal) {
      rate_.Update(progress.records_in, now);
      *context_.console.err << kClearLine << (stop_ == StopReason::kNone ? "" : "cancelling… | ")
                            << ProgressLine(progress, rate_.records_per_second()) << std::flush;
    } else if (!progress.degraded_reason.empty() && degraded_reason_.empty()) {
      // A log wants to know that and why, not how often.
      *context_.console.err << "waiting: " << Printable(progress.degraded_reason) << std::endl;
    } else if (progress.degraded_reason.empty() && !degraded_reason_.empty()) {
      *context_.console.err << "going on" << std::endl;
    }
    degraded_reason_ = progress.degraded_reason;
  }

  const CommandContext& context_;
  JobRunner& runner_;
  const std::atomic<int>* interrupts_ = nullptr;
  std::chrono::nanoseconds started_;
  std::chrono::nanoseconds last_report_{0};
  bool reported_ = false;
  std::string degraded_reason_;
  RateMeter rate_;
  StopReason stop_ = StopReason::kNone;
};

Outcome<std::shared_ptr<const v1::PhysicalPlan>> PlanFor(const CommandContext& context,
                                                         const std::string& file, bool bounded) {
  WS_ASSIGN_OR_RETURN(v1::JobGraph graph, LoadJob(context, file));
  if (bounded) {
    if (Status status = MakeBounded(graph); !status) return Fail(status.error());
  }
  if (graph.checkpointing().interval_ms() > 0) {
    *context.console.err << "warning: 'run' takes no checkpoints: a failure ends the job\n";
  }
  PlanOptions options;
  options.parallelism = context.options.parallelism;
  Result<v1::PhysicalPlan> plan = PlanJob(graph, options);
  if (!plan) return Fail(plan.error());
  return std::make_shared<const v1::PhysicalPlan>(std::move(*plan));
}

Outcome<void> OutcomeOf(const CommandContext& context, const JobResult& result, StopReason stop,
                        bool bounded, const std::string& waited_for) {
  if (result.state == TaskState::kFailed) {
    return Fail(ExitCode::kFailed, result.failure.message);
  }
  if (result.state == TaskState::kFinished) return {};
  if (stop == StopReason::kTimedOut) {
    return Fail(ExitCode::kTimedOut,
                fmt::format("the job was cancelled after --timeout {}{}{}",
                            FormatDuration(*context.options.timeout),
                            waited_for.empty() ? "" : "; it was waiting: ", waited_for));
  }
  // An unbounded job ends no other way.
  if (stop == StopReason::kInterrupted && !bounded) return {};
  return Fail(ExitCode::kFailed, "the job was cancelled before its end");
}

}  // namespace

Outcome<void> RunCommand(const CommandContext& context, const std::string& file, bool bounded) {
  WS_ASSIGN_OR_RETURN(auto plan, PlanFor(context, file, bounded));
  Result<std::unique_ptr<JobRunner>> runner = context.local_engine(plan);
  if (!runner) return Fail(runner.error());
  RunMonitor monitor(context, **runner);
  (*runner)->Start();
  StopReason stop = monitor.AwaitEnd();
  std::chrono::milliseconds duration = monitor.elapsed();
  JobResult result = (*runner)->result();
  JobProgress progress = (*runner)->progress();
  if (IsForPrograms(context.options.output)) {
    nlohmann::ordered_json json = RunToJson(result, progress, duration);
    const std::string state = json["state"];
    Print(context, {.json = std::move(json), .names = {state}});
  } else {
    *context.console.err << EndLine(result, progress, duration) << '\n';
  }
  return OutcomeOf(context, result, stop, bounded, monitor.degraded_reason());
}

}  // namespace watershed
