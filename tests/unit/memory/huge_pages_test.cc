#include "runtime/memory/huge_pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace watershed {
namespace {

TEST(HugePagesTest, AnArrayIsZeroAndAllOfItCanBeWritten) {
  for (const size_t size : {size_t{1}, size_t{1000}, kHugePageBytes / 8, kHugePageBytes / 8 + 1,
                            3 * kHugePageBytes / 8}) {
    ZeroedArray<uint64_t> array(size);
    ASSERT_EQ(array.byte_size(), size * 8);
    EXPECT_EQ(std::count(array.begin(), array.end(), 0U), static_cast<int64_t>(size));
    for (size_t i = 0; i < size; ++i) array[i] = i;
    EXPECT_EQ(array[size - 1], size - 1);
  }
}

// What earlier users of the memory left does not show.
TEST(HugePagesTest, ANewArrayIsZeroAfterAnotherHasGone) {
  for (const size_t size : {size_t{64}, kHugePageBytes / 8}) {
    for (int round = 0; round < 3; ++round) {
      ZeroedArray<uint64_t> array(size);
      EXPECT_EQ(std::count(array.begin(), array.end(), 0U), static_cast<int64_t>(size));
      for (size_t i = 0; i < size; ++i) array[i] = ~uint64_t{0};
    }
  }
}

TEST(HugePagesTest, AMovedArrayKeepsItsValues) {
  ZeroedArray<uint32_t> first(100), second(kHugePageBytes);
  first[7] = 7;
  second[9] = 9;
  first = std::move(second);
  EXPECT_EQ(first.size(), kHugePageBytes);
  EXPECT_EQ(first[9], 9U);
  const ZeroedArray<uint32_t> third(std::move(first));
  EXPECT_EQ(third[9], 9U);
}

TEST(HugePagesTest, ALargeArrayBeginsAtAHugePage) {
  const ZeroedArray<char> one(kHugePageBytes), more(3 * kHugePageBytes + 5);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(one.begin()) % kHugePageBytes, 0U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(more.begin()) % kHugePageBytes, 0U);
}

TEST(HugePagesTest, ReservedAddressesBeginAtAHugePageAndReachAsFarAsAsked) {
  for (const size_t pages : {1U, 3U, 3U}) {
    const size_t bytes = pages * kHugePageBytes;
    char* const range = ReserveHugePages(bytes);
    ASSERT_NE(range, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(range) % kHugePageBytes, 0U);
    ASSERT_EQ(mprotect(range, bytes, PROT_READ | PROT_WRITE), 0);
    range[0] = range[bytes - 1] = 1;
    EXPECT_EQ(munmap(range, bytes), 0);
  }
}

}  // namespace
}  // namespace watershed
