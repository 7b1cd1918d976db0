#include "runtime/engine/marker_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watershed {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class MarkerCheckTest : public testing::Test {
 protected:
  // "" when the marker is right.
  std::string Refusal(int64_t epoch, const std::string& committed_by = "job") {
    const Status status =
        CheckMarker({{"lineage", "rows", 2}, {epoch}, committed_by}, known, rules);
    if (status) return "";
    EXPECT_EQ(status.error().domain, ErrorDomain::kUser);
    EXPECT_FALSE(status.error().retryable);
    return status.error().message;
  }

  KnownProgress known{.confirmed = {5}, .listed = {{6}, {6}, {8}}};
  MarkerRules rules{.committers = {"job", "former"}};
};

TEST_F(MarkerCheckTest, WhatWasConfirmedOrIsListedIsRight) {
  EXPECT_EQ(Refusal(5), "");
  EXPECT_EQ(Refusal(6), "");
  EXPECT_EQ(Refusal(8, "former"), "");
  EXPECT_EQ(Refusal(5, "anybody"), "");  // the checkpoint has heard of it
}

TEST_F(MarkerCheckTest, NothingIsRightBeforeTheFirstCheckpoint) {
  known = {};
  EXPECT_EQ(Refusal(-1), "");
  EXPECT_THAT(Refusal(1), HasSubstr("--allow-duplicates"));
}

TEST_F(MarkerCheckTest, ATargetThatHasLessThanItConfirmedIsRefused) {
  EXPECT_THAT(Refusal(4), AllOf(HasSubstr("epoch 4 of writer 2"), HasSubstr("confirmed epoch 5"),
                                HasSubstr("lineage")));
  EXPECT_THAT(Refusal(-1), HasSubstr("nothing of writer 2"));
  rules.accepts_duplicates = true;
  EXPECT_NE(Refusal(-1), "");
}

TEST_F(MarkerCheckTest, AWriterThatHadNoMarkerBeginsWithNone) {
  known.had_marker = false;
  EXPECT_EQ(Refusal(-1), "");
  EXPECT_NE(Refusal(4), "");
  EXPECT_NE(Refusal(9), "");
}

TEST_F(MarkerCheckTest, ATargetThatHasGonePastTheCheckpointIsRefusedUnlessDuplicatesAreAccepted) {
  EXPECT_THAT(Refusal(9), AllOf(HasSubstr("ends with epoch 8"), HasSubstr("--allow-duplicates")));
  rules.accepts_duplicates = true;
  EXPECT_EQ(Refusal(9), "");
  EXPECT_EQ(Refusal(9, "anybody"), "");
}

TEST_F(MarkerCheckTest, AnEpochOfWhichAPartIsThereMustBeListedToo) {
  const auto with_begun = [&](int64_t begun, const std::string& by) {
    return CheckMarker({.writer = {"lineage", "rows", 2},
                        .last_committed_epoch = {5},
                        .begun_epoch = {begun},
                        .begun_by = by},
                       known, rules);
  };
  EXPECT_TRUE(with_begun(6, "job"));
  const Status behind = with_begun(9, "job");
  ASSERT_FALSE(behind);
  EXPECT_THAT(behind.error().message, HasSubstr("--allow-duplicates"));
  EXPECT_THAT(with_begun(6, "other").error().message, HasSubstr("job other"));
  rules.accepts_duplicates = true;
  EXPECT_TRUE(with_begun(9, "job"));
}

TEST_F(MarkerCheckTest, AnEpochThatIsNotListedOrNotOursIsRefused) {
  rules.accepts_duplicates = true;
  EXPECT_THAT(Refusal(7), HasSubstr("not what the checkpoint lists"));
  EXPECT_THAT(Refusal(6, "other"), AllOf(HasSubstr("job other"), HasSubstr("--fork")));
}

}  // namespace
}  // namespace watershed
