#include "runtime/engine/unconfirmed_epochs.h"

#include <utility>

#include "runtime/checkpoint/manifest.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {

void UnconfirmedEpochs::Add(SinkEpoch epoch) {
  auto entry = std::make_shared<Entry>();
  entry->epoch = std::move(epoch);
  epochs_.push_back(std::move(entry));
}

std::shared_ptr<const SinkEpoch> UnconfirmedEpochs::oldest() const {
  return {epochs_.front(), &epochs_.front()->epoch};
}

void UnconfirmedEpochs::Confirm() { epochs_.pop_front(); }

void UnconfirmedEpochs::Snapshot(const std::shared_ptr<PendingSnapshot>& snapshot,
                                 v1::SinkSnapshot* out) {
  for (const std::shared_ptr<Entry>& entry : epochs_) {
    for (const SinkSegment& segment : entry->epoch.segments) {
      snapshot->CountBytes(segment.payload.byte_size());
    }
    if (entry->stored) continue;
    if (entry->open_writes == 0) Store(entry);
    for (const SinkSegment& segment : entry->epoch.segments) {
      snapshot->CountWritten(segment.payload.byte_size());
    }
    if (entry->stored) continue;
    snapshot->BeginPiece();
    entry->waiting.push_back([snapshot](const Status& status) { snapshot->EndPiece(status); });
  }
  snapshot->AtCompletion([epochs = epochs_, out] {
    for (const std::shared_ptr<Entry>& entry : epochs) {
      for (size_t i = 0; i < entry->epoch.segments.size(); ++i) {
        const SinkSegment& segment = entry->epoch.segments[i];
        v1::SegmentRef& ref = *out->add_unconfirmed();
        ref.set_epoch(segment.epoch.value);
        ref.set_rows(segment.rows);
        if (entry->files[i].name.empty()) {
          ref.set_payload(*segment.payload.bytes());
        } else {
          ToProto(entry->files[i], ref.mutable_file());
        }
      }
    }
  });
}

void UnconfirmedEpochs::Store(const std::shared_ptr<Entry>& entry) {
  const std::vector<SinkSegment>& segments = entry->epoch.segments;
  entry->files.resize(segments.size());
  entry->failure = Ok();
  for (size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].payload.byte_size() <= kInlineBytes || !entry->files[i].name.empty()) continue;
    ++entry->open_writes;
    BackgroundWriter writer(*target_, fmt::format("{}-{}", target_->name_prefix, next_file_++));
    writer.Append(*segments[i].payload.bytes());
    writer.Finish([entry, i](Result<StoredFile> file) {
      OnWritten(*entry, i, std::move(file));
      return Ok();
    });
  }
  entry->stored = entry->open_writes == 0;
}

void UnconfirmedEpochs::OnWritten(Entry& entry, size_t segment, Result<StoredFile> file) {
  if (file) {
    entry.files[segment] = std::move(*file);
  } else {
    entry.failure = tl::make_unexpected(std::move(file).error());
  }
  if (--entry.open_writes > 0) return;
  entry.stored = entry.failure.has_value();
  for (const auto& waiting : std::exchange(entry.waiting, {})) waiting(entry.failure);
}

}  // namespace watershed
