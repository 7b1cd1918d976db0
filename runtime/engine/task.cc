#include "runtime/engine/task.h"

#include <pthread.h>

#include <atomic>
#include <exception>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "runtime/engine/backoff.h"
#include "runtime/engine/task_builder.h"

namespace watershed {
namespace {

using std::chrono::nanoseconds;

class TaskThread final : public Task {
 public:
  TaskThread(TaskSpec spec, const TaskEnvironment& environment)
      : spec_(std::move(spec)),
        environment_(environment),
        directory_(fmt::format("{}/{}-{}-{}-{}", environment.temporary_directory, spec_.job.hex,
                               spec_.attempt.value, spec_.vertex_id, spec_.subtask.value)),
        mailbox_(std::make_shared<Mailbox>(environment.clock)),
        backoff_(static_cast<uint64_t>(spec_.subtask.value) + 1) {}

  ~TaskThread() override {
    Join();
    Close();
  }

  Status Build() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);  // of a process that died
    auto parts = BuildTask(spec_, environment_, {mailbox_, directory_, &cancel_requested_});
    if (!parts) {
      std::filesystem::remove_all(directory_, ignored);
      return tl::make_unexpected(std::move(parts).error());
    }
    parts_ = std::move(*parts);
    return Ok();
  }

  void Start() override {
    thread_ = std::thread([this] { Run(); });
    // Linux shows 15 characters; the subtask tells twins apart.
    const std::string name = fmt::format("{:.11}/{}", parts_.vertex_name, spec_.subtask.value);
    pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
  }

  void Cancel() override {
    cancel_requested_.store(true, std::memory_order_release);
    mailbox_->Notify();
  }

  void Join() override {
    if (thread_.joinable()) thread_.join();
  }

  TaskStatus status() const override {
    std::lock_guard lock(status_mutex_);
    return status_;
  }
  TaskFigures figures() const override { return parts_.metrics->figures(); }
  const TaskSpec& spec() const override { return spec_; }
  bool is_source() const override { return parts_.is_source; }

 private:
  bool cancelled() const { return cancel_requested_.load(std::memory_order_acquire); }

  void Run() {
    SetState(TaskState::kInitializing);
    parts_.metrics->Start();
    Status result;
    try {
      result = OpenAndLoop();
    } catch (const std::exception& e) {
      result = InternalError("task '{}' subtask {} threw: {}", parts_.vertex_name,
                             spec_.subtask.value, e.what());
    }
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

  Status OpenAndLoop() {
    StartTicking();
    WS_RETURN_IF_ERROR(OpenWithRetry([this] { return parts_.chain->Open(); }));
    WS_RETURN_IF_ERROR(OpenWithRetry([this] { return parts_.input->Open(); }));
    if (cancelled()) return Ok();
    SetState(TaskState::kRunning);
    return Loop();
  }

  // Gauges and rates, once a second.
  void StartTicking() {
    mailbox_->AddTimer(environment_.clock->Steady() + std::chrono::seconds(1), [this] {
      parts_.input->UpdateGauges();
      parts_.metrics->Update(parts_.chain->full());
      StartTicking();
      return Ok();
    });
  }

  template <typename OpenFunction>
  Status OpenWithRetry(OpenFunction open) {
    while (!cancelled()) {
      Status status = open();
      if (cancelled()) break;
      if (status || !status.error().retryable) {
        SetDegraded({});
        backoff_.Reset();
        return status;
      }
      const auto delay = backoff_.Next();
      SetDegraded(fmt::format("{}; trying again in {} ms", status.error().message, delay.count()));
      const nanoseconds until = environment_.clock->Steady() + delay;
      while (!cancelled() && environment_.clock->Steady() < until) {
        mailbox_->Wait(until);
        WS_RETURN_IF_ERROR(mailbox_->RunAll());
      }
    }
    return Ok();
  }

  Status Loop() {
    OperatorChain& chain = *parts_.chain;
    while (true) {
      WS_RETURN_IF_ERROR(mailbox_->RunAll());
      if (cancelled()) return Ok();
      WS_RETURN_IF_ERROR(chain.ResumeOutput());
      ReportDegraded();
      if (chain.full()) {
        WaitForRoom();
        continue;
      }
      if (chain.visiting()) {
        WS_ASSIGN_OR_RETURN(const Progress progress, chain.Continue());
        if (progress == Progress::kDone && ending_) break;
        continue;
      }
      WS_ASSIGN_OR_RETURN(auto element, parts_.input->Next());
      if (!element) {
        WS_RETURN_IF_ERROR(WaitForInput());
        continue;
      }
      WS_ASSIGN_OR_RETURN(const Progress progress, Handle(*element));
      if (progress == Progress::kDone && ending_) break;
    }
    finished_ = true;
    return Ok();
  }

  Result<Progress> Handle(const TaskInput::Element& element) {
    if (const auto* batch = std::get_if<RecordBatch>(&element.element)) {
      parts_.metrics->records_in().Add(batch->num_rows());
      if (!parts_.is_source) parts_.metrics->bytes_in().Add(batch->byte_size());
      WS_RETURN_IF_ERROR(parts_.chain->Process(element.input, *batch));
      return Progress::kDone;
    }
    if (const auto* watermark = std::get_if<Watermark>(&element.element)) {
      parts_.metrics->input_watermark().Set(watermark->time_ms);
    }
    ending_ = std::holds_alternative<EndOfInput>(element.element);
    return parts_.chain->HandOn(element.element);
  }

  void WaitForRoom() {
    const nanoseconds begin = environment_.clock->Steady();
    mailbox_->Wait();
    parts_.metrics->AddBackpressured(environment_.clock->Steady() - begin);
    parts_.input->OnBackpressure();
  }

  Status WaitForInput() {
    const nanoseconds begin = environment_.clock->Steady();
    Status status = parts_.input->Wait();
    parts_.metrics->AddIdle(environment_.clock->Steady() - begin);
    return status;
  }

  void ReportDegraded() {
    std::string reason = parts_.input->degraded_reason();
    if (reason.empty()) reason = parts_.chain->degraded_reason();
    SetDegraded(std::move(reason));
  }

  void SetDegraded(std::string reason) {
    if (reason == status_.degraded_reason) return;  // only this thread writes it
    Update([&](TaskStatus& status) { status.degraded_reason = std::move(reason); });
  }
  void SetState(TaskState state) {
    Update([state](TaskStatus& status) {
      status.state = state;
      if (state > TaskState::kRunning) status.degraded_reason.clear();
    });
  }
  void Fail(Error error) {
    Update([&](TaskStatus& status) {
      status.state = TaskState::kFailed;
      status.failure = std::move(error);
      status.degraded_reason.clear();
    });
  }
  template <typename Change>
  void Update(Change change) {
    TaskStatus copy;
    {
      std::lock_guard lock(status_mutex_);
      change(status_);
      copy = status_;
    }
    if (environment_.on_status) environment_.on_status(spec_, copy);
  }

  // Everything but the figures, which are read after the end too.
  void Close() {
    mailbox_->Close();
    if (parts_.input) parts_.input->Close();
    if (parts_.chain) parts_.chain->Close();
    if (parts_.metrics) parts_.metrics->Update(false);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  TaskSpec spec_;
  TaskEnvironment environment_;
  std::string directory_;
  std::shared_ptr<Mailbox> mailbox_;
  Backoff backoff_;
  TaskParts parts_;
  bool ending_ = false;
  bool finished_ = false;

  mutable std::mutex status_mutex_;
  TaskStatus status_;
  std::atomic<bool> cancel_requested_{false};
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Task>> Task::Create(TaskSpec spec, const TaskEnvironment& environment) {
  auto task = std::make_unique<TaskThread>(std::move(spec), environment);
  WS_RETURN_IF_ERROR(task->Build());
  return task;
}

}  // namespace watershed
