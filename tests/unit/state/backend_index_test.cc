#include "runtime/state/backend_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace watershed::test {
namespace {

std::vector<uint64_t> Hashes(int count) {
  std::mt19937_64 random(7);
  std::vector<uint64_t> hashes(static_cast<size_t>(count));
  for (uint64_t& hash : hashes) hash = random();
  return hashes;
}

TEST(BackendIndex, KnowsWhatWasInsertedAndNotErased) {
  const std::vector<uint64_t> hashes = Hashes(10'000);
  BackendIndex index;
  for (size_t i = 0; i < hashes.size(); ++i) index.Insert(hashes[i], static_cast<int64_t>(i));
  for (size_t i = 0; i < hashes.size(); i += 2) index.Erase(hashes[i], static_cast<int64_t>(i));
  for (size_t i = 0; i < hashes.size(); ++i) {
    EXPECT_EQ(index.MayContain(hashes[i], static_cast<int64_t>(i)), i % 2 == 1) << i;
    if (i % 2 == 1) {
      EXPECT_TRUE(index.MayContain(hashes[i])) << i;
    }
  }
}

// The cache's hand goes round by the upper bits of the hashes.
TEST(BackendIndex, KeysThatComeInTheOrderOfTheirHashesDoNotCrowd) {
  std::vector<uint64_t> hashes = Hashes(200'000);
  std::sort(hashes.begin(), hashes.end());
  BackendIndex index;
  for (size_t i = 0; i < hashes.size(); ++i) {
    index.Insert(hashes[i], 1);
    // Also while only a part of the keys has been seen.
    if (i % 20'000 == 10'000) {
      EXPECT_LT(index.LongestRun(), 1000U) << "after " << i;
    }
  }
}

}  // namespace
}  // namespace watershed::test
