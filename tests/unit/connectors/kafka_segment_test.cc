#include "runtime/connectors/kafka/segment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/connectors/kafka/progress_marker.h"
#include "runtime/connectors/kafka/record_headers.h"
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
  const auto later = ReadKafkaSegment("\x03" + segment.substr(1));
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error().message, HasSubstr("later version"));
}

std::string Headers(const std::vector<KafkaHeader>& headers) {
  std::string text;
  for (const KafkaHeader& header : headers) AppendKafkaHeader(header.name, header.value, text);
  return text;
}

TEST(KafkaSegment, HeadersAndNullsAreReadAsTheyWereAppended) {
  KafkaPayloads values = Payloads({"", "", std::string(300, 'x')});
  values.nulls = {true, false, false};
  KafkaPayloads keys = Payloads({"k", "", ""});
  keys.nulls = {false, false, true};
  const KafkaPayloads headers =
      Payloads({Headers({{"why", "null"}}), Headers({{"why", ""}, {"", "no name"}}), Headers({})});
  const KafkaPayloads more_headers = Payloads({Headers({{"why", "no key"}})});
  KafkaSegmentWriter writer;
  writer.Append(values, &keys, &headers);
  writer.Append(Payloads({"b"}), nullptr, &more_headers);
  const std::string segment = writer.Take();
  const auto rows = ReadKafkaSegment(segment);
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ(rows->at(0).value.data(), nullptr);
  EXPECT_EQ(rows->at(0).key, "k");
  EXPECT_EQ(rows->at(0).headers, headers.at(0));
  EXPECT_NE(rows->at(1).value.data(), nullptr);  // empty is not null
  EXPECT_EQ(rows->at(1).value, "");
  EXPECT_TRUE(rows->at(1).has_key);
  EXPECT_EQ(rows->at(1).key, "");
  const auto read = ReadKafkaHeaders(rows->at(1).headers);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at(0).name, "why");
  EXPECT_EQ(read->at(0).value, "");
  EXPECT_EQ(read->at(1).name, "");
  EXPECT_EQ(read->at(1).value, "no name");
  EXPECT_EQ(rows->at(2).value, std::string(300, 'x'));
  EXPECT_FALSE(rows->at(2).has_key);
  EXPECT_EQ(rows->at(2).headers, "");
  EXPECT_EQ(rows->at(3).value, "b");
  EXPECT_FALSE(rows->at(3).has_key);
  EXPECT_EQ(rows->at(3).headers, more_headers.at(0));
  for (size_t size = 2; size < segment.size(); ++size) {
    // A cut between two blocks leaves a segment, of fewer rows.
    const auto cut = ReadKafkaSegment(std::string_view(segment).substr(0, size));
    EXPECT_TRUE(!cut || cut->size() == 3u) << size;
  }
}

// Of these, too, checkpoints hold some.
TEST(KafkaSegment, TheSecondVersionIsReadByEveryLaterOne) {
  const std::string segment(
      "\x02\x02\x02\x00\x00\x03\x04\x00"
      "a"
      "kk"
      "\x01h\x01v",
      15);
  const auto rows = ReadKafkaSegment(segment);
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ(rows->at(0).value, "a");
  EXPECT_FALSE(rows->at(0).has_key);
  EXPECT_EQ(rows->at(0).headers, "\x01h\x01v");
  EXPECT_EQ(rows->at(1).value.data(), nullptr);
  EXPECT_EQ(rows->at(1).key, "kk");
  EXPECT_EQ(rows->at(1).headers, "");
}

TEST(KafkaSegment, RowsWithoutHeadersAreWrittenAsTheFirstVersionDid) {
  KafkaSegmentWriter writer;
  const KafkaPayloads keys = Payloads({"kk"});
  writer.Append(Payloads({"a", "bb"}), nullptr);
  writer.Append(Payloads({"c"}), &keys);
  EXPECT_EQ(writer.Take(), std::string("\x01\x02\x00\x01\x02"
                                       "abb"
                                       "\x01\x01\x01\x02"
                                       "ckk",
                                       15));
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
