#include "runtime/engine/barrier_aligner.h"

#include <gtest/gtest.h>

namespace watershed {
namespace {

Barrier Number(int64_t id) { return {.checkpoint_id = {id}}; }

TEST(BarrierAligner, OneChannelNeedsNoAlignment) {
  BarrierAligner aligner(1);
  ASSERT_TRUE(aligner.OnBarrier(0, Number(1)));
  EXPECT_FALSE(aligner.blocked(0));
}

TEST(BarrierAligner, BlocksAChannelUntilTheBarrierIsComplete) {
  BarrierAligner aligner(3);
  EXPECT_FALSE(aligner.OnBarrier(1, Number(1)));
  EXPECT_TRUE(aligner.blocked(1));
  EXPECT_FALSE(aligner.blocked(0));
  EXPECT_FALSE(aligner.OnBarrier(0, Number(1)));
  const auto complete = aligner.OnBarrier(2, Number(1));
  ASSERT_TRUE(complete);
  EXPECT_EQ(complete->checkpoint_id.value, 1);
  for (const int channel : {0, 1, 2}) EXPECT_FALSE(aligner.blocked(channel));
  EXPECT_FALSE(aligner.aligning());
}

TEST(BarrierAligner, AChannelThatEndsCompletesTheBarrierUnderWay) {
  BarrierAligner aligner(2);
  EXPECT_FALSE(aligner.OnBarrier(0, Number(5)));
  ASSERT_TRUE(aligner.OnEnd(1));
  EXPECT_FALSE(aligner.blocked(0));
}

TEST(BarrierAligner, AnEndedChannelCountsAsAlignedEverAfter) {
  BarrierAligner aligner(2);
  EXPECT_FALSE(aligner.OnEnd(1));
  EXPECT_TRUE(aligner.OnBarrier(0, Number(1)));
  EXPECT_TRUE(aligner.OnBarrier(0, Number(2)));
}

TEST(BarrierAligner, ANewerBarrierAbandonsTheOlder) {
  BarrierAligner aligner(2);
  EXPECT_FALSE(aligner.OnBarrier(0, Number(1)));
  EXPECT_FALSE(aligner.OnBarrier(1, Number(2)));
  EXPECT_FALSE(aligner.blocked(0));
  EXPECT_TRUE(aligner.blocked(1));
  EXPECT_EQ(aligner.abandoned(), 1);
  const auto complete = aligner.OnBarrier(0, Number(2));
  ASSERT_TRUE(complete);
  EXPECT_EQ(complete->checkpoint_id.value, 2);
}

TEST(BarrierAligner, IgnoresABarrierOfThePast) {
  BarrierAligner aligner(2);
  EXPECT_FALSE(aligner.OnBarrier(0, Number(1)));
  EXPECT_FALSE(aligner.OnBarrier(1, Number(2)));  // abandons 1
  EXPECT_FALSE(aligner.OnBarrier(0, Number(1)));
  EXPECT_FALSE(aligner.blocked(0));
  EXPECT_TRUE(aligner.OnBarrier(0, Number(2)));
  EXPECT_FALSE(aligner.OnBarrier(0, Number(2)));
  EXPECT_FALSE(aligner.aligning());
}

TEST(BarrierAligner, AnAbortedCheckpointOpensItsChannels) {
  BarrierAligner aligner(2);
  EXPECT_FALSE(aligner.OnBarrier(0, Number(3)));
  EXPECT_FALSE(aligner.Abort({2}));  // another one
  EXPECT_TRUE(aligner.blocked(0));
  EXPECT_TRUE(aligner.Abort({3}));
  EXPECT_FALSE(aligner.blocked(0));
  EXPECT_FALSE(aligner.OnBarrier(1, Number(3)));  // comes all the same: nobody waits for it
  EXPECT_FALSE(aligner.blocked(1));
  EXPECT_FALSE(aligner.OnBarrier(1, Number(4)));
  EXPECT_TRUE(aligner.OnBarrier(0, Number(4)));
}

TEST(BarrierAligner, ACheckpointAbortedBeforeItsBarriersComeIsNotWaitedFor) {
  BarrierAligner aligner(2);
  EXPECT_FALSE(aligner.Abort({3}));
  EXPECT_FALSE(aligner.OnBarrier(0, Number(3)));
  EXPECT_FALSE(aligner.blocked(0));
}

}  // namespace
}  // namespace watershed
