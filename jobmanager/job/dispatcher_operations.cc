// What clients ask of running jobs: checkpoints, savepoints, stops.
#include <utility>

#include "jobmanager/job/dispatcher.h"
#include "runtime/checkpoint/layout.h"

namespace watershed {

void Dispatcher::AskWithDirectory(
    const std::string& job_id, std::string directory, std::string operation_id,
    std::function<Status(JobMaster&, const std::string&, const std::string&)> ask,
    OperationDone done) {
  if (directory.empty()) directory = settings_.jobs.savepoint_directory;
  if (const auto job = FindNamed(job_id); !job) return done(tl::make_unexpected(job.error()));
  if (directory.empty()) {
    return done(UserError(
        "no directory for the savepoint: name one, or set execution.checkpointing.savepoint-dir"));
  }
  if (operation_id.empty()) operation_id = MakeId();
  services_.io->Run([this, alive = std::weak_ptr(alive_), executor = executor_, job_id,
                     open = services_.open_storage, directory = std::move(directory),
                     operation_id = std::move(operation_id), ask = std::move(ask),
                     done = std::move(done)] {
    const auto opened = open(directory);
    const Status usable = opened ? Ok() : Status(tl::make_unexpected(opened.error()));
    executor->Post([this, alive, job_id, directory, operation_id, ask, done, usable] {
      if (alive.expired()) return;
      if (!usable) return done(tl::make_unexpected(usable.error()));
      const Result<JobMaster*> job = FindNamed(job_id);
      if (!job) return done(tl::make_unexpected(job.error()));
      const Status asked = ask(**job, operation_id, directory);
      OnJobChanged();
      done(asked ? Result<std::string>(operation_id) : tl::make_unexpected(asked.error()));
    });
  });
}

void Dispatcher::TriggerSavepoint(const v1::TriggerSavepointRequest& request, OperationDone done) {
  AskWithDirectory(
      request.job_id(), request.directory(), request.operation_id(),
      [](JobMaster& job, const std::string& operation_id, const std::string& directory) {
        return job.RequestCheckpoint(operation_id, directory);
      },
      std::move(done));
}

void Dispatcher::StopWithSavepoint(const v1::StopWithSavepointRequest& request,
                                   OperationDone done) {
  AskWithDirectory(
      request.job_id(), request.directory(), request.operation_id(),
      [drain = request.drain()](JobMaster& job, const std::string& operation_id,
                                const std::string& directory) {
        return job.RequestStop(operation_id, directory, drain);
      },
      [this, done = std::move(done)](Result<std::string> asked) {
        if (!asked) return done(std::move(asked));
        WhenStored([done, asked] { done(asked); });
      });
}

Result<std::string> Dispatcher::RequestCheckpoint(const v1::RequestCheckpointRequest& request) {
  WS_ASSIGN_OR_RETURN(JobMaster* const job, FindNamed(request.job_id()));
  const std::string id = request.operation_id().empty() ? MakeId() : request.operation_id();
  WS_RETURN_IF_ERROR(job->RequestCheckpoint(id, ""));
  OnJobChanged();
  return id;
}

Result<v1::Operation> Dispatcher::FindOperation(const v1::GetOperationRequest& request) const {
  if (request.job_id().empty()) {
    std::optional<v1::Operation> disposal = disposals_.Find(request.operation_id());
    if (disposal) return std::move(*disposal);
    return UserError(
        "nothing is known of disposal {}: the JobManager has been started anew since, or it was "
        "long ago",
        request.operation_id());
  }
  WS_ASSIGN_OR_RETURN(const JobMaster* const job, FindNamed(request.job_id()));
  std::optional<v1::Operation> operation = job->FindOperation(request.operation_id());
  if (operation) return std::move(*operation);
  return UserError(
      "nothing is known of operation {} of job {}: the JobManager has been started anew since, or "
      "it was long ago; `wsctl get` shows the latest checkpoints",
      request.operation_id(), request.job_id());
}

void Dispatcher::DisposeSavepoint(const std::string& path, std::function<void(Status)> done) {
  const Result<RestorePath> where = ParseRestorePath(path);
  if (!where) return done(tl::make_unexpected(where.error()));
  for (const auto& job : jobs_) {
    if (job->ended() || !job->BeginsWith(where->directory)) continue;
    return done(UserError("job {} begins with {} and has no checkpoint of its own yet",
                          job->id().hex, path));
  }
  services_.io->Run(
      [executor = executor_, open = services_.open_existing, path, done = std::move(done)] {
        const Status deleted = DeleteSavepointAt(open, path);
        executor->Post([done, deleted] { done(deleted); });
      });
}

std::string Dispatcher::BeginDisposal(const std::string& path) {
  const std::string id = MakeId();
  disposals_.Begin(id, v1::Operation::DISPOSAL);
  DisposeSavepoint(path, [this, alive = std::weak_ptr(alive_), id, path](const Status& disposed) {
    if (alive.expired()) return;
    if (disposed) return disposals_.Complete(id, /*checkpoint_id=*/0, path);
    disposals_.Fail(id, disposed.error().message);
  });
  return id;
}

}  // namespace watershed
