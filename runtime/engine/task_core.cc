#include "runtime/engine/task_core.h"

#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

#include "watershed/v1/checkpoint.pb.h"

namespace watershed {

using std::chrono::nanoseconds;

TaskCore::TaskCore(TaskSpec spec, const TaskEnvironment& environment)
    : spec_(std::move(spec)),
      environment_(environment),
      directory_(fmt::format("{}/{}-{}-{}-{}", environment.temporary_directory, spec_.job.hex,
                             spec_.attempt.value, spec_.vertex_id, spec_.subtask.value)),
      mailbox_(std::make_shared<Mailbox>(environment.clock)),
      backoff_(static_cast<uint64_t>(spec_.subtask.value) + 1) {}

Status TaskCore::Build() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);  // of a process that died
  auto parts = BuildTask(spec_, environment_, {mailbox_, directory_});
  if (!parts) {
    std::filesystem::remove_all(directory_, ignored);
    return tl::make_unexpected(std::move(parts).error());
  }
  parts_ = std::move(*parts);
  if (spec_.checkpoint_storage != nullptr) {
    checkpoints_ = std::make_unique<TaskCheckpoints>(
        TaskCheckpoints::Parts{&spec_, environment_.checkpoints, parts_.chain.get(),
                               parts_.input.get(), mailbox_.get(), parts_.metrics.get()});
  }
  return Ok();
}

void TaskCore::Cancel() {
  cancel_requested_.store(true, std::memory_order_release);
  mailbox_->Notify();
}

void TaskCore::TriggerCheckpoint(const Barrier& barrier, SourceStop stop) {
  PostCheckpointMail([=](TaskCheckpoints& to) { return to.OnTrigger(barrier, stop); });
}
void TaskCore::NotifyCheckpointComplete(CheckpointId checkpoint, bool is_last) {
  PostCheckpointMail([=](TaskCheckpoints& to) { return to.OnComplete(checkpoint, is_last); });
}
void TaskCore::NotifyCheckpointAborted(CheckpointId checkpoint) {
  PostCheckpointMail([checkpoint](TaskCheckpoints& to) { return to.OnAborted(checkpoint); });
}
// The mailbox is closed before the task goes.
void TaskCore::PostCheckpointMail(std::function<Status(TaskCheckpoints&)> mail) {
  if (checkpoints_ == nullptr) return;
  mailbox_->Post([this, mail = std::move(mail)] { return mail(*checkpoints_); });
}

TaskCore::StepResult TaskCore::Step() {
  if (phase_ == Phase::kOver) return StepResult::kEnded;
  Result<StepResult> result = StepResult::kEnded;
  try {
    result = StepOnce();
  } catch (const std::exception& e) {
    result = Threw(e);
  }
  if (result && *result != StepResult::kEnded) return *result;
  End(result ? Ok() : tl::make_unexpected(std::move(result).error()));
  return StepResult::kEnded;
}

tl::unexpected<Error> TaskCore::Threw(const std::exception& exception) const {
  return InternalError("task '{}' subtask {} threw: {}", parts_.vertex_name, spec_.subtask.value,
                       exception.what());
}

Result<TaskCore::StepResult> TaskCore::StepOnce() {
  if (phase_ == Phase::kCreated) Begin();
  if (!wait_failure_) return tl::make_unexpected(wait_failure_.error());
  WS_RETURN_IF_ERROR(mailbox_->RunAll());
  if (cancelled()) return StepResult::kEnded;
  return phase_ == Phase::kOpening ? OpenOnce() : RunOnce();
}

void TaskCore::Begin() {
  phase_ = Phase::kOpening;
  SetState(TaskState::kInitializing);
  parts_.metrics->Start();
  StartTicking();
}

// Gauges and rates, once a second.
void TaskCore::StartTicking() {
  mailbox_->AddTimer(environment_.clock->Steady() + std::chrono::seconds(1), [this] {
    parts_.input->UpdateGauges();
    parts_.metrics->Update(phase_ == Phase::kRunning && parts_.chain->full());
    StartTicking();
    return Ok();
  });
}

Result<TaskCore::StepResult> TaskCore::OpenOnce() {
  if (open_again_at_ && environment_.clock->Steady() < *open_again_at_) {
    return WaitFor(WaitsFor::kMail);
  }
  open_again_at_.reset();
  const Result<Progress> opened = OpenAll();
  if (cancelled()) return StepResult::kEnded;
  if (opened && *opened == Progress::kYield) return WaitFor(WaitsFor::kMail);
  if (opened) {
    SetDegraded({});
    WS_RETURN_IF_ERROR(BeginRunning());
    return StepResult::kProgressed;
  }
  if (!opened.error().retryable) return tl::make_unexpected(opened.error());
  const auto delay = backoff_.Next();
  SetDegraded(fmt::format("{}; trying again in {} ms", opened.error().message, delay.count()));
  open_again_at_ = environment_.clock->Steady() + delay;
  mailbox_->AddTimer(*open_again_at_, [] { return Ok(); });
  return WaitFor(WaitsFor::kMail);
}

// Sinks open elsewhere meanwhile.
Result<Progress> TaskCore::OpenAll() {
  WS_ASSIGN_OR_RETURN(const Progress chain, parts_.chain->Open());
  if (!input_open_) WS_RETURN_IF_ERROR(parts_.input->Open());
  input_open_ = true;
  return chain;
}

// A restored task begins where its watermark was: what is due fires before any row comes, so that
// none of them reopens a window that had fired.
Status TaskCore::BeginRunning() {
  backoff_.Reset();
  phase_ = Phase::kRunning;
  SetState(TaskState::kRunning);
  if (spec_.restore != nullptr && spec_.restore->has_watermark_ms()) {
    // Should it not be done, RunOnce goes on with it.
    WS_RETURN_IF_ERROR(HandOnWatermark(spec_.restore->watermark_ms()));
  }
  return checkpoints_ != nullptr ? checkpoints_->OnRunning() : Ok();
}

Result<TaskCore::StepResult> TaskCore::RunOnce() {
  OperatorChain& chain = *parts_.chain;
  WS_RETURN_IF_ERROR(chain.ResumeOutput());
  ReportDegraded();
  if (checkpoints_ != nullptr) checkpoints_->Advance();
  if (phase_ == Phase::kEndedInput) {
    finished_ = checkpoints_->finished();
    return finished_ ? StepResult::kEnded : WaitFor(WaitsFor::kMail);
  }
  if (chain.full()) return WaitFor(WaitsFor::kRoom);
  if (checkpoints_ != nullptr && checkpoints_->stopped() && !ending_) return EndStopped();
  Progress progress = Progress::kDone;
  if (chain.visiting()) {
    WS_ASSIGN_OR_RETURN(progress, chain.Continue());
  } else {
    WS_ASSIGN_OR_RETURN(const auto element, parts_.input->Next());
    if (!element) return WaitFor(WaitsFor::kInput);
    WS_ASSIGN_OR_RETURN(progress, Handle(*element));
  }
  if (progress == Progress::kDone && ending_) return EndInput();
  return StepResult::kProgressed;
}

Result<TaskCore::StepResult> TaskCore::EndInput() {
  parts_.metrics->SetEnded();
  if (checkpoints_ == nullptr) {
    finished_ = true;
    return StepResult::kEnded;
  }
  phase_ = Phase::kEndedInput;
  Update(
      [](TaskStatus&) {});  // the figures go with it: who waits for the end need not ask for them
  WS_RETURN_IF_ERROR(checkpoints_->OnEnded());
  return StepResult::kProgressed;
}

// Those behind must not take the closed channels for broken ones. No watermark precedes the end, so
// nothing fires; nothing has come since the last barrier, so nothing is open.
Result<TaskCore::StepResult> TaskCore::EndStopped() {
  ending_ = true;
  WS_ASSIGN_OR_RETURN(const Progress progress, parts_.chain->HandOn(EndOfInput{}));
  return progress == Progress::kDone ? EndInput() : Result<StepResult>(StepResult::kProgressed);
}

Result<Progress> TaskCore::Handle(const TaskInput::Element& element) {
  if (const auto* batch = std::get_if<RecordBatch>(&element.element)) {
    if (element.side_output.empty()) parts_.metrics->records_in().Add(batch->num_rows());
    if (!parts_.is_source) parts_.metrics->bytes_in().Add(batch->byte_size());
    WS_RETURN_IF_ERROR(parts_.chain->Process(element.input, *batch, element.side_output));
    return Progress::kDone;
  }
  if (const auto* watermark = std::get_if<Watermark>(&element.element)) {
    return HandOnWatermark(watermark->time_ms);
  }
  if (const auto* barrier = std::get_if<Barrier>(&element.element)) {
    if (checkpoints_ == nullptr) return parts_.chain->HandOn(*barrier);
    WS_RETURN_IF_ERROR(checkpoints_->OnBarrier(*barrier, watermark_ms_));
    return Progress::kDone;
  }
  ending_ = std::holds_alternative<EndOfInput>(element.element);
  return parts_.chain->HandOn(element.element);
}

Result<Progress> TaskCore::HandOnWatermark(TimestampMs time_ms) {
  watermark_ms_ = time_ms;
  parts_.metrics->input_watermark().Set(time_ms);
  return parts_.chain->HandOn(Watermark{time_ms});
}

TaskCore::StepResult TaskCore::WaitFor(WaitsFor what) {
  waits_for_ = what;
  return StepResult::kWaiting;
}

void TaskCore::Wait() {
  const nanoseconds begin = environment_.clock->Steady();
  if (waits_for_ == WaitsFor::kInput) {
    try {
      wait_failure_ = parts_.input->Wait();
    } catch (const std::exception& e) {
      wait_failure_ = Threw(e);
    }
  } else {
    mailbox_->Wait();
  }
  const nanoseconds waited = environment_.clock->Steady() - begin;
  if (waits_for_ == WaitsFor::kRoom) {
    parts_.metrics->AddBackpressured(waited);
    parts_.input->OnBackpressure();
  } else {
    parts_.metrics->AddIdle(waited);
  }
}

void TaskCore::End(Status result) {
  phase_ = Phase::kOver;
  const bool was_cancelled = cancelled() && !finished_;
  if (was_cancelled) SetState(TaskState::kCanceling);
  Close();
  if (was_cancelled) {
    SetState(TaskState::kCanceled);
  } else if (result) {
    SetState(TaskState::kFinished);
  } else {
    Fail(std::move(result).error());
  }
}

// Everything but the figures, which are read after the end too.
void TaskCore::Close() {
  mailbox_->Close();
  if (parts_.input) parts_.input->Close();
  if (parts_.chain) parts_.chain->Close();
  if (parts_.metrics) parts_.metrics->Update(false);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void TaskCore::ReportDegraded() {
  std::string reason = parts_.input->degraded_reason();
  if (reason.empty()) reason = parts_.chain->degraded_reason();
  SetDegraded(std::move(reason));
}

TaskStatus TaskCore::status() const {
  std::lock_guard lock(status_mutex_);
  return status_;
}

void TaskCore::SetDegraded(std::string reason) {
  if (reason == status_.degraded_reason) return;  // only this thread writes it
  Update([&](TaskStatus& status) { status.degraded_reason = std::move(reason); });
}
void TaskCore::SetState(TaskState state) {
  Update([state](TaskStatus& status) {
    status.state = state;
    if (state > TaskState::kRunning) status.degraded_reason.clear();
  });
}
void TaskCore::Fail(Error error) {
  Update([&](TaskStatus& status) {
    status.state = TaskState::kFailed;
    status.failure = std::move(error);
    status.degraded_reason.clear();
  });
}
template <typename Change>
void TaskCore::Update(Change change) {
  TaskStatus copy;
  {
    std::lock_guard lock(status_mutex_);
    change(status_);
    copy = status_;
  }
  if (environment_.on_status) environment_.on_status(spec_, copy);
}

}  // namespace watershed
