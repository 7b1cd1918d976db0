#include "runtime/memory/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <new>

namespace watershed {
namespace {

size_t InHugePages(size_t bytes) {
  return (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
}

}  // namespace

char* ReserveHugePages(size_t bytes) {
  const size_t reserved = bytes + kHugePageBytes;
  void* range =
      mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) return nullptr;
  char* const begin = static_cast<char*>(range);
  const size_t beyond = reinterpret_cast<uintptr_t>(begin) % kHugePageBytes;
  const size_t before = beyond == 0 ? 0 : kHugePageBytes - beyond;
  if (before > 0) (void)munmap(begin, before);
  (void)munmap(begin + before + bytes, kHugePageBytes - before);
  return begin + before;
}

void* AllocateZeroed(size_t bytes) {
  if (bytes < kHugePageBytes) {
    void* const data = std::calloc(1, bytes);
    if (data == nullptr) throw std::bad_alloc();
    return data;
  }
  const size_t size = InHugePages(bytes);
  char* const data = ReserveHugePages(size);
  if (data == nullptr) throw std::bad_alloc();
  if (mprotect(data, size, PROT_READ | PROT_WRITE) != 0) {
    (void)munmap(data, size);
    throw std::bad_alloc();
  }
  (void)madvise(data, size, MADV_HUGEPAGE);  // without it: the same in small pages
  return data;
}

void FreeZeroed(void* data, size_t bytes) {
  if (data == nullptr) return;
  if (bytes < kHugePageBytes) {
    std::free(data);
  } else {
    (void)munmap(data, InHugePages(bytes));
  }
}

}  // namespace watershed
