#include "wsctl/local_engine.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "runtime/state/keyed_state.h"

namespace watershed {
namespace {

// A directory of its own, removed with all it holds.
class TemporaryDirectory {
 public:
  static Result<std::unique_ptr<TemporaryDirectory>> Create() {
    const char* base = getenv("TMPDIR");
    std::string path = fmt::format("{}/wsctl-run-XXXXXX", base && *base ? base : "/tmp");
    if (mkdtemp(path.data()) == nullptr) {
      return ExternalError("no temporary directory {}: {}; set TMPDIR to one that can be written",
                           path, std::strerror(errno));
    }
    return std::unique_ptr<TemporaryDirectory>(new TemporaryDirectory(path));
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// A runner with its surroundings; members are destroyed in reverse, the runner first.
class LocalJob : public JobRunner {
 public:
  LocalJob(std::unique_ptr<TemporaryDirectory> directory,
           std::shared_ptr<const v1::PhysicalPlan> plan)
      : directory_(std::move(directory)), keyed_state_(KeyedStateOptions{}) {
    JobRunnerOptions options;
    options.environment.clock = &SystemClock();
    options.environment.metrics = &metrics_;
    options.environment.keyed_state = &keyed_state_;
    options.environment.temporary_directory = directory_->path();
    runner_ = JobRunner::Create(std::move(plan), std::move(options));
  }

  void Start() override { runner_->Start(); }
  void Cancel() override { runner_->Cancel(); }
  bool WaitFor(std::chrono::milliseconds timeout) override { return runner_->WaitFor(timeout); }
  JobResult result() const override { return runner_->result(); }
  JobProgress progress() const override { return runner_->progress(); }

 private:
  std::unique_ptr<TemporaryDirectory> directory_;
  MetricRegistry metrics_;
  KeyedStateFactory keyed_state_;
  std::unique_ptr<JobRunner> runner_;
};

}  // namespace

Result<std::unique_ptr<JobRunner>> MakeLocalJob(std::shared_ptr<const v1::PhysicalPlan> plan) {
  WS_ASSIGN_OR_RETURN(auto directory, TemporaryDirectory::Create());
  return std::make_unique<LocalJob>(std::move(directory), std::move(plan));
}

}  // namespace watershed
