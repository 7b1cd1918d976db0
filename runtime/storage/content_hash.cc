#include "runtime/storage/content_hash.h"

#include <xxhash.h>

namespace watershed {

ContentHash::ContentHash() : state_(XXH3_createState()) { XXH3_64bits_reset(state_.get()); }

void ContentHash::Free::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

void ContentHash::Update(std::string_view bytes) {
  XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
}

uint64_t ContentHash::Digest() const { return XXH3_64bits_digest(state_.get()); }

uint64_t ContentHash::Of(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace watershed
