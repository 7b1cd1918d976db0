#include "runtime/operators/group_table.h"

#include <algorithm>
#include <cstring>

namespace watershed {

void GroupTable::Place(uint32_t tag, uint32_t group) {
  const size_t mask = buckets_.size() - 1;
  size_t at = tag & mask;
  while (buckets_[at].group != 0) at = (at + 1) & mask;
  buckets_[at] = {tag, group + 1};
}

uint32_t GroupTable::Add(uint32_t tag, std::string_view key, TimestampMs window_end_ms) {
  if ((groups_.size() + 1) * 2 > buckets_.size()) {
    buckets_.assign(buckets_.size() * 2, Bucket{});
    for (size_t i = 0; i < groups_.size(); ++i) Place(groups_[i].tag, static_cast<uint32_t>(i));
  }
  const auto group = static_cast<uint32_t>(groups_.size());
  groups_.push_back({window_end_ms, key_bytes_.size(), static_cast<uint32_t>(key.size()), tag});
  key_bytes_.append(key.data(), key.size());
  const size_t begin = words_buffer_.size();
  words_buffer_.resize(begin + words_);
  std::memset(&words_buffer_[begin], 0, words_ * sizeof(int64_t));
  Place(tag, group);
  return group;
}

void GroupTable::Clear() {
  std::fill(buckets_.begin(), buckets_.end(), Bucket{});
  groups_.clear();
  key_bytes_.clear();
  words_buffer_.clear();
}

}  // namespace watershed
