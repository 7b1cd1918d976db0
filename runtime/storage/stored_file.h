// Names an immutable object together with what it must contain: proto FileRef, without protobuf.
#pragma once

#include <cstdint>
#include <string>

namespace watershed {

struct StoredFile {
  std::string name;  // in its ObjectStorage
  int64_t size_bytes = 0;
  uint64_t xxh3 = 0;  // XXH3_64 of the whole content

  bool operator==(const StoredFile&) const = default;
};

}  // namespace watershed
