#include "jobmanager/checkpoint/file_collector.h"

#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "runtime/checkpoint/manifest.h"
#include "runtime/logging/log.h"

namespace watershed {
namespace {

// Deleted in one piece of work.
constexpr size_t kFilesAtOnce = 32;

struct Request {
  std::vector<v1::CheckpointRef> subsumed;
  std::vector<v1::CheckpointRef> retained;
  FileNames under_way;
  Attempt orphans_before{0};  // 0: look for none
};

}  // namespace

struct FileCollector::Shared : std::enable_shared_from_this<Shared> {
  Shared(Opener opener, WorkRunner* work_runner) : open(std::move(opener)), io(work_runner) {}

  void Push(Request request) {
    const std::lock_guard lock(mutex);
    requests.push_back(std::move(request));
    if (!std::exchange(scheduled, true)) Schedule();
  }
  void Schedule() {
    io->Run([self = shared_from_this()] { self->Step(); });
  }
  void Step();
  // Fills `deletions` with what the request allows.
  Status Plan(const Request& request);
  Status PlanSubsumed(const FileNames& keep, const FileNames& under_way);
  void DeleteSome();
  // What a manifest names, read once.
  Result<const FileNames*> Named(const v1::CheckpointRef& checkpoint);

  const Opener open;
  WorkRunner* const io;
  std::mutex mutex;
  std::deque<Request> requests;
  bool scheduled = false;
  bool closed = false;

  // Of the Step that runs.
  std::shared_ptr<ObjectStorage> storage;
  std::map<int64_t, FileNames> named;             // by checkpoint
  std::map<int64_t, v1::CheckpointRef> subsumed;  // whose files are not deleted yet
  std::deque<std::string> deletions;
};

void FileCollector::Shared::Step() {
  std::unique_lock lock(mutex);
  if (closed) return;
  if (!deletions.empty()) {
    lock.unlock();
    DeleteSome();
    lock.lock();
  } else if (!requests.empty()) {
    const Request request = std::move(requests.front());
    requests.pop_front();
    lock.unlock();
    if (const Status planned = Plan(request); !planned) {
      LogWarn("files of old checkpoints stay for now: {}", planned.error().message);
    }
    lock.lock();
  }
  scheduled = !requests.empty() || !deletions.empty();
  if (scheduled) Schedule();
}

Status FileCollector::Shared::Plan(const Request& request) {
  for (const v1::CheckpointRef& checkpoint : request.subsumed) {
    subsumed[checkpoint.checkpoint_id()] = checkpoint;
  }
  if (storage == nullptr) {
    WS_ASSIGN_OR_RETURN(storage, open());
  }
  FileNames keep;
  for (const v1::CheckpointRef& checkpoint : request.retained) {
    subsumed.erase(checkpoint.checkpoint_id());
    WS_ASSIGN_OR_RETURN(const FileNames* files, Named(checkpoint));
    keep.insert(files->begin(), files->end());
    keep.insert(checkpoint.manifest().name());
  }
  WS_RETURN_IF_ERROR(PlanSubsumed(keep, request.under_way));
  if (request.orphans_before == Attempt{0}) return Ok();
  WS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, storage->List(""));
  for (std::string& name : OrphanedFiles(objects, keep, request.orphans_before)) {
    deletions.push_back(std::move(name));
  }
  return Ok();
}

Status FileCollector::Shared::PlanSubsumed(const FileNames& keep, const FileNames& under_way) {
  while (!subsumed.empty()) {
    const auto& [id, checkpoint] = *subsumed.begin();
    const auto files = Named(checkpoint);
    if (!files && files.error().retryable) return tl::make_unexpected(files.error());
    if (!files) {
      // What it names is an orphan once a later attempt has begun.
      LogWarn("the files of subsumed checkpoint {} stay until the job restarts: {}", id,
              files.error().message);
    }
    // The manifest first: one that is there must not name files that are not.
    deletions.push_back(checkpoint.manifest().name());
    if (files) {
      for (std::string& name : SubsumedFiles(**files, keep, under_way)) {
        deletions.push_back(std::move(name));
      }
    }
    named.erase(id);
    subsumed.erase(subsumed.begin());
  }
  return Ok();
}

void FileCollector::Shared::DeleteSome() {
  for (size_t i = 0; i < kFilesAtOnce && !deletions.empty(); ++i) {
    if (const Status deleted = storage->Delete(deletions.front()); !deleted) {
      LogWarn("a file of an old checkpoint stays until the job restarts: {}",
              deleted.error().message);
    }
    deletions.pop_front();
  }
}

Result<const FileNames*> FileCollector::Shared::Named(const v1::CheckpointRef& checkpoint) {
  const auto known = named.find(checkpoint.checkpoint_id());
  if (known != named.end()) return &known->second;
  const StoredFile expected = FromProto(checkpoint.manifest());
  WS_ASSIGN_OR_RETURN(const v1::CheckpointManifest manifest,
                      ReadManifest(*storage, expected.name, &expected));
  return &(named[checkpoint.checkpoint_id()] = FilesOf(manifest));
}

FileCollector::FileCollector(Opener open, WorkRunner* io)
    : shared_(std::make_shared<Shared>(std::move(open), io)) {}

FileCollector::~FileCollector() {
  const std::lock_guard lock(shared_->mutex);
  shared_->closed = true;
}

void FileCollector::OnSubsumed(std::vector<v1::CheckpointRef> subsumed,
                               std::vector<v1::CheckpointRef> retained, FileNames under_way) {
  shared_->Push({std::move(subsumed), std::move(retained), std::move(under_way)});
}

void FileCollector::OnAttempt(Attempt oldest_living, std::vector<v1::CheckpointRef> retained) {
  shared_->Push({{}, std::move(retained), {}, oldest_living});
}

}  // namespace watershed
