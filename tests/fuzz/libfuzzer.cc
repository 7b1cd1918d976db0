// One target for libFuzzer: WATERSHED_FUZZ_TARGET is its function.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

#ifndef WATERSHED_FUZZ_TARGET  // for who reads this file without its build
#define WATERSHED_FUZZ_TARGET JobFile
#endif

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  watershed::fuzz::WATERSHED_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
