// An object that is in memory, as one that is read piece by piece.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "runtime/storage/object_storage.h"

namespace watershed {

class BytesReader final : public ObjectReader {
 public:
  explicit BytesReader(std::string bytes) : bytes_(std::move(bytes)) {}

  int64_t size_bytes() const override { return static_cast<int64_t>(bytes_.size()); }
  Result<size_t> Read(std::span<char> into) override {
    const size_t size = std::min(into.size(), bytes_.size() - at_);
    std::copy_n(bytes_.data() + at_, size, into.data());
    at_ += size;
    return size;
  }

 private:
  const std::string bytes_;
  size_t at_ = 0;
};

}  // namespace watershed
