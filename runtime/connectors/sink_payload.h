// The bytes of a sink's segment: in memory, or where they were put because memory was short.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "runtime/types/result.h"

namespace watershed {

// A value: copies are cheap, and each may be used by a thread of its own.
class SinkPayload {
 public:
  using Bytes = std::shared_ptr<const std::string>;
  using Reader = std::function<Result<std::string>()>;  // any thread; blocks

  SinkPayload() = default;
  SinkPayload(std::string bytes)  // NOLINT(google-explicit-constructor): sinks give what they have
      : size_bytes_(static_cast<int64_t>(bytes.size())),
        bytes_(std::make_shared<const std::string>(std::move(bytes))) {}
  SinkPayload(int64_t size_bytes, Reader reader)
      : size_bytes_(size_bytes), reader_(std::move(reader)) {}

  // Blocks when they are not in memory. Keep the answer no longer than it is needed.
  Result<Bytes> Read() const {
    if (bytes_ != nullptr) return bytes_;
    if (!reader_) return std::make_shared<const std::string>();
    WS_ASSIGN_OR_RETURN(std::string bytes, reader_());
    return std::make_shared<const std::string>(std::move(bytes));
  }

  int64_t byte_size() const { return size_bytes_; }
  // Null when they are elsewhere.
  const Bytes& bytes() const { return bytes_; }
  // Lets go of the bytes; `reader` knows where they are.
  void MoveOut(Reader reader) {
    reader_ = std::move(reader);
    bytes_.reset();
  }

 private:
  int64_t size_bytes_ = 0;
  Bytes bytes_;
  Reader reader_;
};

}  // namespace watershed
