#include "runtime/connectors/kafka/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/connectors/kafka/progress_marker.h"
#include "tests/support/assert_ok.h"

namespace watershed::test {
namespace {

using testing::HasSubstr;

KafkaPayloads Payloads(const std::vector<std::string>& texts) {
  KafkaPayloads payloads{.bytes = {}, .offsets = {0}};
  for (const std::string& text : texts) {
    payloads.bytes += text;
    payloads.offsets.push_back(payloads.bytes.size());
  }
  return payloads;
}

TEST(KafkaSegment, WhatWasAppendedIsReadInOrder) {
  KafkaSegmentWriter writer;
  const KafkaPayloads keys = Payloads({"k1", ""});
  writer.Append(Payloads({"a", "", std::string(300, 'x')}), nullptr);
  writer.Append(Payloads({}), nullptr);
  writer.Append(Payloads({"b", "c"}), &keys);
  const std::string segment = writer.Take();
  EXPECT_EQ(writer.byte_size(), 0);
  const auto rows = ReadKafkaSegment(segment);
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 5u);
  EXPECT_EQ(rows->at(0).value, "a");
  EXPECT_EQ(rows->at(1).value, "");
  EXPECT_EQ(rows->at(2).value, std::string(300, 'x'));
  EXPECT_FALSE(rows->at(2).has_key);
  EXPECT_EQ(rows->at(3).value, "b");
  EXPECT_EQ(rows->at(3).key, "k1");
  EXPECT_EQ(rows->at(4).value, "c");
  EXPECT_TRUE(rows->at(4).has_key);
  EXPECT_EQ(rows->at(4).key, "");
}

// Checkpoints hold segments: these bytes must be read for ever.
TEST(KafkaSegment, TheFirstVersionIsReadByEveryLaterOne) {
  const std::string segment(
      "\x01\x02\x00\x01\x02"
      "abb"
      "\x01\x01\x01\x02"
      "ckk",
      15);
  const auto rows = ReadKafkaSegment(segment);
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ(rows->at(0).value, "a");
  EXPECT_EQ(rows->at(1).value, "bb");
  EXPECT_EQ(rows->at(2).value, "c");
  EXPECT_EQ(rows->at(2).key, "kk");
}

TEST(KafkaSegment, EveryCutAndEveryLaterVersionIsRefused) {
  KafkaSegmentWriter writer;
  const KafkaPayloads keys = Payloads({"key", "key"});
  writer.Append(Payloads({"abc", "de"}), &keys);
  const std::string segment = writer.Take();
  for (size_t size = 2; size < segment.size(); ++size) {
    EXPECT_FALSE(ReadKafkaSegment(segment.substr(0, size))) << size;
  }
  const auto later = ReadKafkaSegment("\x02" + segment.substr(1));
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error().message, HasSubstr("later version"));
}

TEST(KafkaProgress, AMarkerIsReadAsItWasWritten) {
  const ProgressMarker marker{.attempt = {3},
                              .job = "job",
                              .epoch = {7},
                              .committed_by = "former",
                              .begun = {8},
                              .begun_rows = 100,
                              .begun_by = "job",
                              .begun_attempt = {2}};
  const auto read = ReadProgress(WriteProgress(marker));
  ASSERT_OK(read);
  EXPECT_TRUE(read->SaysTheSame(marker));
  EXPECT_EQ(read->begun_attempt.value, 2);
  // What the first version wrote.
  const auto first = ReadProgress(R"({"version":1,"attempt":3,"job":"j","epoch":7,"by":"f",)"
                                  R"("begun":{"epoch":8,"rows":9,"by":"j","attempt":3}})");
  ASSERT_OK(first);
  EXPECT_EQ(first->begun_rows, 9);
}

TEST(KafkaProgress, WhatIsNoneIsRefused) {
  EXPECT_FALSE(ReadProgress("hello"));
  EXPECT_FALSE(ReadProgress("{}"));
  EXPECT_THAT(ReadProgress(R"({"version":2})").error().message, HasSubstr("later version"));
}

}  // namespace
}  // namespace watershed::test
