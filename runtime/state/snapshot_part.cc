#include "runtime/state/snapshot_part.h"

namespace watershed {
SnapshotPartWriter::SnapshotPartWriter(const SnapshotTarget& target,
                                       const SnapshotFileHeader& header, SnapshotFileNames& names,
                                       std::function<Status()> settled)
    : target_(target),
      header_(header),
      names_(names),
      settled_(std::move(settled)),
      chunk_(header.key_groups) {}

void SnapshotPartWriter::Append(const SnapshotRow& row) {
  chunk_.Append(row);
  if (chunk_.byte_size() >= kSnapshotChunkBytes) CloseChunk();
}

void SnapshotPartWriter::CloseChunk() {
  if (!file_) {
    std::string name = names_.Next();
    part_->files.push_back({name});
    ++part_->outstanding;
    file_ = std::make_unique<BackgroundWriter>(target_, std::move(name));
    std::string header = EncodeSnapshotFileHeader(header_);
    file_bytes_ = static_cast<int64_t>(header.size());
    file_->Append(std::move(header));
  }
  std::string chunk = chunk_.Close();
  file_bytes_ += static_cast<int64_t>(chunk.size());
  part_->bytes += static_cast<int64_t>(chunk.size());
  file_->Append(std::move(chunk));
  if (file_bytes_ >= kSnapshotFileBytes) CloseFile();
}

void SnapshotPartWriter::CloseFile() {
  file_->Finish([part = part_, at = part_->files.size() - 1,
                 settled = settled_](Result<StoredFile> file) -> Status {
    --part->outstanding;
    if (file) {
      part->files[at] = std::move(*file);
    } else if (!part->failure) {
      part->failure = std::move(file).error();
    }
    return part->settled() ? settled() : Ok();
  });
  std::erase_if(finished_, [](const auto& file) { return file->unwritten_bytes() == 0; });
  finished_.push_back(std::move(file_));
}

void SnapshotPartWriter::Finish() {
  if (!chunk_.empty()) CloseChunk();
  if (file_) CloseFile();
  --part_->outstanding;
}

int64_t SnapshotPartWriter::unwritten_bytes() const {
  int64_t bytes = file_ ? file_->unwritten_bytes() : 0;
  for (const auto& file : finished_) bytes += file->unwritten_bytes();
  return bytes;
}

}  // namespace watershed
