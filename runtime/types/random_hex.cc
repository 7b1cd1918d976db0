#include "runtime/types/random_hex.h"

#include <fmt/format.h>

#include <random>

namespace watershed {

std::string RandomHex() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
}

}  // namespace watershed
