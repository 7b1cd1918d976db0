#include "runtime/state/snapshot_part.h"

namespace watershed {

void SnapshotPart::GiveUp(const Error& why) {
  if (settled()) return;
  failure = why;
  for (const auto& file : closed) file->GiveUp();
  closed.clear();
}

SnapshotPartWriter::SnapshotPartWriter(const SnapshotTarget& target,
                                       const SnapshotFileHeader& header, SnapshotFileNames& names,
                                       std::function<Status()> settled)
    : target_(target),
      header_(header),
      names_(names),
      settled_(std::move(settled)),
      chunk_(header.key_groups) {}

void SnapshotPartWriter::Append(const SnapshotRow& row) {
  if (part_->failure) return;
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
  // The part owns its files.
  file_->Finish([weak = std::weak_ptr(part_), at = part_->files.size() - 1,
                 settled = settled_](Result<StoredFile> file) -> Status {
    const std::shared_ptr<SnapshotPart> part = weak.lock();
    if (part == nullptr) return Ok();
    --part->outstanding;
    if (file) {
      part->files[at] = std::move(*file);
    } else if (!part->failure) {
      part->failure = std::move(file).error();
    }
    return part->settled() ? settled() : Ok();
  });
  std::vector<std::unique_ptr<BackgroundWriter>>& closed = part_->closed;
  std::erase_if(closed, [](const auto& file) { return file->unwritten_bytes() == 0; });
  closed.push_back(std::move(file_));
}

void SnapshotPartWriter::Finish() {
  if (part_->failure) {
    DropFile();
  } else {
    if (!chunk_.empty()) CloseChunk();
    if (file_) CloseFile();
  }
  --part_->outstanding;
}

int64_t SnapshotPartWriter::unwritten_bytes() const {
  int64_t bytes = file_ ? file_->unwritten_bytes() : 0;
  for (const auto& file : part_->closed) bytes += file->unwritten_bytes();
  return bytes;
}

}  // namespace watershed
