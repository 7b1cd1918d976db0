#include "runtime/connectors/filesystem/sink.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/connectors/filesystem/options.h"
#include "runtime/connectors/filesystem/writer_directory.h"
#include "runtime/formats/format.h"
#include "runtime/storage/file_error.h"

namespace watershed {
namespace {

class FilesystemSink final : public Sink {
 public:
  FilesystemSink(FilesystemSinkOptions options, std::unique_ptr<Encoder> encoder,
                 const ConnectorContext& context)
      : delivery_(options.delivery),
        own_(context.subtask.value),
        job_(context.job.hex),
        extension_(encoder->file_extension()),
        tree_(std::make_shared<FileTree>(std::move(options.directory), FileStorageOptions{})),
        encoder_(std::move(encoder)) {}

  Status Open() override {
    WS_RETURN_IF_ERROR(tree_->MakeRoot());
    if (::access(tree_->root().c_str(), R_OK | W_OK | X_OK) == 0) return Ok();
    return FileError(errno, "write to", tree_->root());
  }
  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId> writers,
                                          Attempt attempt) override;
  Status Recover(std::span<const SinkSegment> segments) override;
  Status Write(const RecordBatch& batch) override;
  Result<std::vector<SinkSegment>> Prepare(CheckpointId epoch) override;
  Status Commit(CheckpointId epoch, std::span<const SinkSegment> segments) override;

  bool keeps_markers() const override { return delivery_ == FilesystemDelivery::kExactlyOnce; }
  bool writes_at_once() const override { return delivery_ == FilesystemDelivery::kAtLeastOnce; }
  Status Flush() override { return Ok(); }
  int64_t buffered_bytes() const override { return static_cast<int64_t>(lines_.size()); }
  void Close() override {}

 private:
  Result<WriterDirectory*> FindWriter(int32_t index);

  const FilesystemDelivery delivery_;
  const int32_t own_;
  const std::string job_;
  const std::string extension_;

  // Commit's thread only.
  const std::shared_ptr<FileTree> tree_;
  std::vector<std::unique_ptr<WriterDirectory>> writers_;

  // The task's thread only.
  const std::unique_ptr<Encoder> encoder_;
  std::string payloads_;
  std::vector<size_t> offsets_;
  std::string lines_;
  int64_t rows_ = 0;
};

Result<std::vector<WriterMarker>> FilesystemSink::Fence(std::span<const WriterId> writers,
                                                        Attempt attempt) {
  writers_.clear();
  std::vector<WriterMarker> markers;
  for (const WriterId& id : writers) {
    auto& writer = writers_.emplace_back(
        std::make_unique<WriterDirectory>(tree_, id, WriterOwner{attempt, job_}, extension_));
    WS_RETURN_IF_ERROR(writer->Fence());
    if (keeps_markers()) markers.push_back(writer->marker());
  }
  return markers;
}

// With any delivery: what is listed was left by one that is exactly-once.
Status FilesystemSink::Recover(std::span<const SinkSegment> segments) {
  WS_RETURN_IF_ERROR(ForEachEpoch(segments, [this](std::span<const SinkSegment> epoch) -> Status {
    WS_ASSIGN_OR_RETURN(WriterDirectory* const writer, FindWriter(epoch.front().writer));
    return writer->Commit(epoch.front().epoch, epoch);
  }));
  std::erase_if(writers_, [this](const auto& writer) { return writer->writer().writer != own_; });
  return Ok();
}

Status FilesystemSink::Write(const RecordBatch& batch) {
  WS_RETURN_IF_ERROR(encoder_->Encode(batch, payloads_, offsets_));
  for (size_t i = 0; i + 1 < offsets_.size(); ++i) {
    lines_.append(payloads_, offsets_[i], offsets_[i + 1] - offsets_[i]);
    lines_.push_back('\n');
  }
  rows_ += batch.num_rows();
  return Ok();
}

Result<std::vector<SinkSegment>> FilesystemSink::Prepare(CheckpointId epoch) {
  std::vector<SinkSegment> segments;
  if (rows_ == 0) return segments;
  segments.push_back({.epoch = epoch,
                      .rows = std::exchange(rows_, 0),
                      .payload = std::exchange(lines_, std::string())});
  return segments;
}

Status FilesystemSink::Commit(CheckpointId epoch, std::span<const SinkSegment> segments) {
  WS_ASSIGN_OR_RETURN(WriterDirectory* const own, FindWriter(own_));
  return writes_at_once() ? own->PublishUnmarked(epoch, segments) : own->Commit(epoch, segments);
}

Result<WriterDirectory*> FilesystemSink::FindWriter(int32_t index) {
  const auto found = std::ranges::find_if(
      writers_, [&](const auto& writer) { return writer->writer().writer == index; });
  if (found != writers_.end()) return found->get();
  return InternalError("writer {} of {} has rows to publish, but was not fenced", index,
                       tree_->root());
}

}  // namespace

Result<std::unique_ptr<Sink>> MakeFilesystemSink(const OptionMap& options,
                                                 std::unique_ptr<Encoder> encoder,
                                                 const ConnectorContext& context) {
  WS_ASSIGN_OR_RETURN(FilesystemSinkOptions parsed, ParseFilesystemSinkOptions(options));
  if (encoder == nullptr) return UserError("the filesystem sink needs a format: json or csv");
  return std::make_unique<FilesystemSink>(std::move(parsed), std::move(encoder), context);
}

}  // namespace watershed
