#include "runtime/types/schema.h"

namespace watershed {

std::optional<int> Schema::IndexOf(std::string_view name) const {
  for (int i = 0; i < num_fields(); ++i) {
    if (field(i).name == name) return i;
  }
  return std::nullopt;
}

}  // namespace watershed
