// XXH3_64 of content that comes piece by piece: StoredFile::xxh3.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

struct XXH3_state_s;

namespace watershed {

class ContentHash {
 public:
  ContentHash();
  void Update(std::string_view bytes);
  uint64_t Digest() const;  // of all so far
  static uint64_t Of(std::string_view bytes);

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

}  // namespace watershed
