#include "runtime/state/snapshot_chain.h"

#include <algorithm>
#include <utility>

namespace watershed {

void SnapshotChain::Adopt(const std::vector<StoredFile>& files) {
  parts_.clear();
  if (files.empty()) return;
  auto part = std::make_shared<SnapshotPart>();
  part->files = files;
  part->outstanding = 0;
  for (const StoredFile& file : files) part->bytes += file.size_bytes;
  parts_.push_back(std::move(part));
}

void SnapshotChain::Await(size_t new_parts, Done done) {
  waiting_.push_back({parts_, new_parts, std::move(done)});
}

bool SnapshotChain::Settled(const Parts& parts) {
  return std::all_of(parts.begin(), parts.end(),
                     [](const auto& part) { return part->outstanding == 0; }) ||
         std::any_of(parts.begin(), parts.end(), [](const auto& part) { return !!part->failure; });
}

Status SnapshotChain::Settle() {
  // One at a time: what is told may ask for the next snapshot.
  while (true) {
    const auto next = std::find_if(waiting_.begin(), waiting_.end(),
                                   [](const Waiting& snapshot) { return Settled(snapshot.parts); });
    if (next == waiting_.end()) return Ok();
    const Waiting snapshot = std::move(*next);
    waiting_.erase(next);
    WS_RETURN_IF_ERROR(snapshot.done(FilesOf(snapshot)));
  }
}

Result<KeyedStateFiles> SnapshotChain::FilesOf(const Waiting& snapshot) {
  KeyedStateFiles result;
  for (size_t i = 0; i < snapshot.parts.size(); ++i) {
    const SnapshotPart& part = *snapshot.parts[i];
    if (part.failure) return tl::make_unexpected(*part.failure);
    const bool is_new = i + snapshot.new_parts >= snapshot.parts.size();
    for (const StoredFile& file : part.files) {
      result.files.push_back(file);
      if (is_new) result.written_bytes += file.size_bytes;
    }
  }
  return result;
}

void SnapshotChain::GiveUp(const Error& why) {
  for (const auto& part : parts_) part->GiveUp(why);
  for (const Waiting& snapshot : waiting_) {
    for (const auto& part : snapshot.parts) part->GiveUp(why);
  }
}

bool SnapshotChain::broken() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const auto& part) { return !!part->failure; });
}

int64_t SnapshotChain::byte_size() const {
  int64_t bytes = 0;
  for (const auto& part : parts_) bytes += part->bytes;
  return bytes;
}

void SnapshotChain::DropEmpty() {
  std::erase_if(parts_, [](const auto& part) {
    return part->outstanding == 0 && !part->failure && part->files.empty();
  });
}

}  // namespace watershed
