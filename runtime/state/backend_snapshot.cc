#include "runtime/state/backend_snapshot.h"

#include <string>
#include <utility>
#include <vector>

#include "runtime/state/state_rows.h"
#include "runtime/storage/stored_file_writer.h"

namespace watershed {
namespace {

// Between the steps other work has its turn.
class BackendSnapshot : public std::enable_shared_from_this<BackendSnapshot> {
 public:
  BackendSnapshot(std::unique_ptr<StateBackendScan> scan, BackendSnapshotParameters parameters,
                  std::function<Status()> settled)
      : scan_(std::move(scan)),
        parameters_(std::move(parameters)),
        settled_(std::move(settled)),
        chunk_(parameters_.header.key_groups) {}

  const std::shared_ptr<SnapshotPart>& part() const { return part_; }
  void Schedule() {
    parameters_.target.io->Run([self = shared_from_this()] { self->Step(); });
  }

 private:
  void Step() {
    if (*parameters_.given_up) return;
    const Result<bool> more = WriteChunk();
    if (more && *more) return Schedule();
    parameters_.target.post([self = shared_from_this(), more]() -> Status {
      SnapshotPart& part = *self->part_;
      part.outstanding = 0;
      if (more) {
        part.files = std::move(self->files_);
        for (const StoredFile& file : part.files) part.bytes += file.size_bytes;
      } else {
        part.failure = more.error();
      }
      return self->settled_();
    });
  }

  // False: that was all.
  Result<bool> WriteChunk() {
    WS_ASSIGN_OR_RETURN(const bool more, FillChunk());
    if (!chunk_.empty()) {
      if (!file_) WS_RETURN_IF_ERROR(OpenFile());
      WS_RETURN_IF_ERROR(file_->Append(chunk_.Close()));
    }
    if (file_ && (!more || file_->size_bytes() >= kSnapshotFileBytes)) {
      WS_RETURN_IF_ERROR(CommitFile());
    }
    return more;
  }

  Result<bool> FillChunk() {
    std::string_view row_key, row;
    while (chunk_.byte_size() < kSnapshotChunkBytes) {
      WS_ASSIGN_OR_RETURN(const bool found, scan_->Next(row_key, row));
      if (!found) return false;
      if (!IsValueRowKey(row_key) || IsDeadRow(row_key, row, parameters_.fired_ms)) continue;
      WS_ASSIGN_OR_RETURN(const ValueRow value, ParseValueRow(row));
      chunk_.Append({GroupOfRowKey(row_key), row_key.substr(kValueRowPrefixBytes), value.value,
                     value.timer_ms});
    }
    return true;
  }

  Status OpenFile() {
    file_ =
        std::make_unique<StoredFileWriter>(parameters_.target.storage, parameters_.names->Next());
    return file_->Append(EncodeSnapshotFileHeader(parameters_.header));
  }

  Status CommitFile() {
    WS_ASSIGN_OR_RETURN(StoredFile written, file_->Commit());
    files_.push_back(std::move(written));
    file_.reset();
    return Ok();
  }

  const std::unique_ptr<StateBackendScan> scan_;
  const BackendSnapshotParameters parameters_;
  const std::function<Status()> settled_;
  const std::shared_ptr<SnapshotPart> part_ = std::make_shared<SnapshotPart>();
  SnapshotChunk chunk_;
  std::unique_ptr<StoredFileWriter> file_;
  std::vector<StoredFile> files_;
};

}  // namespace

std::shared_ptr<SnapshotPart> WriteBackend(std::unique_ptr<StateBackendScan> scan,
                                           BackendSnapshotParameters parameters,
                                           std::function<Status()> settled) {
  const auto snapshot =
      std::make_shared<BackendSnapshot>(std::move(scan), std::move(parameters), std::move(settled));
  snapshot->Schedule();
  return snapshot->part();
}

}  // namespace watershed
