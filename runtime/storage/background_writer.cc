#include "runtime/storage/background_writer.h"

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/storage/stored_file_writer.h"
#include "runtime/types/kill_point.h"

namespace watershed {

// What the task and the work under way share; the last of them releases it.
struct BackgroundWriter::Shared : std::enable_shared_from_this<Shared> {
  struct Chunk {
    std::shared_ptr<const std::string> bytes;
    bool counted = false;  // in the backlog
  };

  Shared(const SnapshotTarget& snapshot_target, std::string object_name)
      : target(snapshot_target),
        writer(std::make_unique<StoredFileWriter>(target.storage, std::move(object_name))) {}

  // Under the lock: makes sure that a Step will run. One at a time, one chunk each, so that the
  // objects of several tasks take turns.
  void Schedule() {
    begun = true;
    if (scheduled) return;
    scheduled = true;
    target.io->Run([self = shared_from_this()] { self->Step(); });
  }
  void Append(Chunk chunk);
  void Step();
  void DropChunks();
  void Account(int64_t bytes) const {
    if (target.backlog != nullptr) target.backlog->Add(bytes);
  }
  Result<StoredFile> Commit();

  const SnapshotTarget target;
  std::atomic<int64_t> unwritten_bytes{0};

  std::mutex mutex;
  std::deque<Chunk> chunks;
  std::function<Status(Result<StoredFile>)> done;  // set by Finish
  bool scheduled = false;
  bool begun = false;     // Append or Finish has been called
  bool finished = false;  // Finish has been called
  bool given_up = false;

  // Of the Step that runs.
  std::unique_ptr<StoredFileWriter> writer;
  std::optional<Error> failure;
};

void BackgroundWriter::Shared::Step() {
  std::unique_lock lock(mutex);
  if (!given_up && !chunks.empty()) {
    Chunk chunk = std::move(chunks.front());
    chunks.pop_front();
    lock.unlock();
    // After a failure the rest is dropped, so that nobody waits for it.
    if (!failure) {
      Pass(KillPoint::kFileWrites);
      if (Status written = writer->Append(*chunk.bytes); !written)
        failure = std::move(written).error();
    }
    const auto size = static_cast<int64_t>(chunk.bytes->size());
    chunk.bytes.reset();
    unwritten_bytes -= size;
    if (chunk.counted) {
      Account(-size);
      if (target.backlog != nullptr) target.post([] { return Ok(); });  // who waits may look again
    }
    lock.lock();
  }
  scheduled = false;
  if (given_up) {
    DropChunks();
    writer.reset();
  } else if (!chunks.empty()) {
    Schedule();
  } else if (done) {
    auto tell = std::exchange(done, nullptr);
    lock.unlock();
    target.post(
        [tell = std::move(tell), result = Commit()]() mutable { return tell(std::move(result)); });
  }
}

// Under the lock.
void BackgroundWriter::Shared::DropChunks() {
  for (const Chunk& chunk : chunks) {
    const auto size = static_cast<int64_t>(chunk.bytes->size());
    unwritten_bytes -= size;
    if (chunk.counted) Account(-size);
  }
  chunks.clear();
}

Result<StoredFile> BackgroundWriter::Shared::Commit() {
  const std::unique_ptr<StoredFileWriter> finished = std::move(writer);
  if (failure) return tl::make_unexpected(*failure);
  Pass(KillPoint::kFileCommits);
  auto committed = finished->Commit();
  Pass(KillPoint::kFileIsDurable);
  return committed;
}

BackgroundWriter::BackgroundWriter(const SnapshotTarget& target, std::string name)
    : shared_(std::make_shared<Shared>(target, std::move(name))) {}

BackgroundWriter::~BackgroundWriter() {
  if (!shared_->finished) GiveUp();
}

void BackgroundWriter::GiveUp() {
  const std::lock_guard lock(shared_->mutex);
  const bool is_over = shared_->finished && !shared_->done;
  if (!shared_->begun || is_over) return;
  shared_->given_up = true;
  shared_->DropChunks();
  // The file is removed where files are written, not on the task's thread.
  shared_->Schedule();
}

void BackgroundWriter::Append(std::string chunk) {
  shared_->Append({std::make_shared<const std::string>(std::move(chunk)), true});
}
void BackgroundWriter::AppendShared(std::shared_ptr<const std::string> chunk) {
  shared_->Append({std::move(chunk), false});
}

void BackgroundWriter::Shared::Append(Chunk chunk) {
  const std::lock_guard lock(mutex);
  const auto size = static_cast<int64_t>(chunk.bytes->size());
  unwritten_bytes += size;
  if (chunk.counted) Account(size);
  chunks.push_back(std::move(chunk));
  Schedule();
}

int64_t BackgroundWriter::unwritten_bytes() const { return shared_->unwritten_bytes; }

void BackgroundWriter::Finish(std::function<Status(Result<StoredFile>)> done) {
  const std::lock_guard lock(shared_->mutex);
  shared_->done = std::move(done);
  shared_->finished = true;
  shared_->Schedule();
}

}  // namespace watershed
