#include "runtime/engine/unconfirmed_epochs.h"

#include <utility>

#include "runtime/checkpoint/manifest.h"
#include "runtime/storage/stored_bytes.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {

void UnconfirmedEpochs::Append(Entry& entry, SinkEpoch part) {
  entry.epoch.rows += part.rows;
  for (SinkSegment& segment : part.segments) {
    if (segment.payload.bytes() != nullptr) in_memory_bytes_ += segment.payload.byte_size();
    entry.epoch.segments.push_back(std::move(segment));
    entry.pieces.emplace_back();
  }
}

void UnconfirmedEpochs::AddPart(SinkEpoch part) {
  if (open_ == nullptr) open_ = std::make_shared<Entry>();
  Append(*open_, std::move(part));
  Store(open_, 0);
}

void UnconfirmedEpochs::Close(CheckpointId id, std::optional<SinkEpoch> rest) {
  std::shared_ptr<Entry> entry = std::exchange(open_, nullptr);
  if (entry == nullptr && !rest) return;
  if (entry == nullptr) entry = std::make_shared<Entry>();
  if (rest) Append(*entry, std::move(*rest));
  entry->epoch.id = id;
  for (SinkSegment& segment : entry->epoch.segments) segment.epoch = id;
  epochs_.push_back(std::move(entry));
}

std::shared_ptr<const SinkEpoch> UnconfirmedEpochs::oldest() const {
  return {epochs_.front(), &epochs_.front()->epoch};
}

void UnconfirmedEpochs::Confirm() {
  for (const SinkSegment& segment : epochs_.front()->epoch.segments) {
    if (segment.payload.bytes() != nullptr) in_memory_bytes_ -= segment.payload.byte_size();
  }
  epochs_.pop_front();
}

int64_t UnconfirmedEpochs::open_bytes() const {
  int64_t bytes = 0;
  if (open_ == nullptr) return bytes;
  for (const SinkSegment& segment : open_->epoch.segments) bytes += segment.payload.byte_size();
  return bytes;
}

bool UnconfirmedEpochs::IsStored(const Entry& entry) {
  for (size_t i = 0; i < entry.pieces.size(); ++i) {
    const bool stays_inline = entry.epoch.segments[i].payload.byte_size() <= kInlineBytes;
    if (entry.pieces[i].writing) return false;
    if (entry.pieces[i].file.name.empty() && !stays_inline) return false;
  }
  return true;
}

void UnconfirmedEpochs::Snapshot(const std::shared_ptr<PendingSnapshot>& snapshot,
                                 v1::SinkSnapshot* out) {
  for (const std::shared_ptr<Entry>& entry : epochs_) {
    Store(entry, kInlineBytes);
    for (size_t i = 0; i < entry->pieces.size(); ++i) {
      const int64_t bytes = entry->epoch.segments[i].payload.byte_size();
      snapshot->CountBytes(bytes);
      if (!std::exchange(entry->pieces[i].counted, true)) snapshot->CountWritten(bytes);
    }
    if (IsStored(*entry)) continue;
    snapshot->BeginPiece();
    // Weak: the snapshot refers to the entry below, and a task that is cancelled leaves both as
    // they are. While the task lives it keeps the snapshot.
    entry->waiting.push_back([weak = std::weak_ptr(snapshot)](const Status& status) {
      if (const auto waiting = weak.lock()) waiting->EndPiece(status);
    });
  }
  snapshot->AtCompletion([epochs = epochs_, out] {
    for (const std::shared_ptr<Entry>& entry : epochs) {
      for (size_t i = 0; i < entry->epoch.segments.size(); ++i) {
        const SinkSegment& segment = entry->epoch.segments[i];
        v1::SegmentRef& ref = *out->add_unconfirmed();
        ref.set_epoch(segment.epoch.value);
        ref.set_rows(segment.rows);
        if (entry->pieces[i].file.name.empty()) {
          ref.set_payload(*segment.payload.bytes());
        } else {
          ToProto(entry->pieces[i].file, ref.mutable_file());
        }
      }
    }
  });
}

void UnconfirmedEpochs::StoreAll() {
  for (const std::shared_ptr<Entry>& entry : epochs_) Store(entry, 0);
  if (open_ != nullptr) Store(open_, 0);
  KeepToMemory();
}

void UnconfirmedEpochs::Store(const std::shared_ptr<Entry>& entry, int64_t inline_bytes) {
  if (target_ == nullptr) return;
  if (entry->open_writes == 0) entry->failure = Ok();
  for (size_t i = 0; i < entry->pieces.size(); ++i) {
    Piece& piece = entry->pieces[i];
    const SinkPayload& payload = entry->epoch.segments[i].payload;
    if (payload.byte_size() <= inline_bytes || piece.writing || !piece.file.name.empty()) continue;
    piece.writing = true;
    ++entry->open_writes;
    BackgroundWriter writer(*target_, fmt::format("{}-{}", target_->name_prefix, next_file_++));
    writer.AppendShared(payload.bytes());
    writer.Finish([this, entry, i](Result<StoredFile> file) {
      OnWritten(*entry, i, std::move(file));
      return Ok();
    });
  }
}

void UnconfirmedEpochs::OnWritten(Entry& entry, size_t segment, Result<StoredFile> file) {
  Piece& piece = entry.pieces[segment];
  piece.writing = false;
  Status written = Ok();
  if (file) {
    piece.file = std::move(*file);
  } else {
    written = tl::make_unexpected(std::move(file).error());
    entry.failure = written;
  }
  if (--entry.open_writes == 0) {
    for (const auto& waiting : std::exchange(entry.waiting, {})) waiting(entry.failure);
  }
  KeepToMemory();
  on_written_(written);
}

// Half of the memory, so that there is room for what comes.
void UnconfirmedEpochs::KeepToMemory() {
  if (open_ != nullptr) MoveOut(*open_);
  for (auto entry = epochs_.rbegin(); entry != epochs_.rend(); ++entry) MoveOut(**entry);
}

void UnconfirmedEpochs::MoveOut(Entry& entry) {
  for (size_t i = entry.pieces.size(); i > 0 && in_memory_bytes_ > memory_bytes_ / 2; --i) {
    const StoredFile& file = entry.pieces[i - 1].file;
    SinkPayload& payload = entry.epoch.segments[i - 1].payload;
    // What a commit under way holds would not leave memory.
    const bool is_ours = payload.bytes() != nullptr && payload.bytes().use_count() == 1;
    if (file.name.empty() || !is_ours) continue;
    payload.MoveOut([storage = target_->storage, file] { return ReadStored(*storage, file); });
    in_memory_bytes_ -= payload.byte_size();
  }
}

}  // namespace watershed
