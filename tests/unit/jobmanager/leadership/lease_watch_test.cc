#include "jobmanager/leadership/lease_watch.h"

#include <gtest/gtest.h>

namespace watershed {
namespace {

using std::chrono::milliseconds;

LeaderSight Sight(int64_t leader_epoch, int64_t last_entry, int64_t lease_ms = 1000) {
  LeaderSight sight;
  sight.leader_epoch = leader_epoch;
  sight.last_entry = last_entry;
  sight.leader.set_lease_ms(lease_ms);
  return sight;
}

TEST(LeaseWatch, NobodyLeads) { EXPECT_TRUE(LeaseWatch().MayLead({}, milliseconds(0))); }

TEST(LeaseWatch, ALeaderThatKnowsNoLeaseIsDeposedAtOnce) {
  EXPECT_TRUE(LeaseWatch().MayLead(Sight(3, 7, 0), milliseconds(0)));
}

TEST(LeaseWatch, TheLeaseBeginsWhenTheWatchDoes) {
  LeaseWatch watch;
  EXPECT_FALSE(watch.MayLead(Sight(1, 1), milliseconds(5000)));
  EXPECT_FALSE(watch.MayLead(Sight(1, 1), milliseconds(5999)));
  EXPECT_TRUE(watch.MayLead(Sight(1, 1), milliseconds(6000)));
}

TEST(LeaseWatch, EveryEntryRenewsIt) {
  LeaseWatch watch;
  for (int64_t entry = 1; entry < 10; ++entry) {
    EXPECT_FALSE(watch.MayLead(Sight(1, entry), milliseconds(900 * entry)));
  }
  EXPECT_FALSE(watch.MayLead(Sight(1, 9), milliseconds(900 * 9 + 999)));
  EXPECT_TRUE(watch.MayLead(Sight(1, 9), milliseconds(900 * 9 + 1000)));
}

TEST(LeaseWatch, AnotherLeaderHasALeaseOfItsOwn) {
  LeaseWatch watch;
  EXPECT_FALSE(watch.MayLead(Sight(1, 5), milliseconds(0)));
  EXPECT_FALSE(watch.MayLead(Sight(2, 6, 3000), milliseconds(999)));
  EXPECT_FALSE(watch.MayLead(Sight(2, 6, 3000), milliseconds(3998)));
  EXPECT_TRUE(watch.MayLead(Sight(2, 6, 3000), milliseconds(3999)));
}

TEST(LeaseWatch, AReleasedLeaseIsOver) {
  LeaseWatch watch;
  LeaderSight sight = Sight(1, 1);
  EXPECT_FALSE(watch.MayLead(sight, milliseconds(0)));
  sight.last_entry = 2;
  sight.is_released = true;
  EXPECT_TRUE(watch.MayLead(sight, milliseconds(1)));
}

}  // namespace
}  // namespace watershed
