#include "runtime/exchange/frame_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/unit/exchange/rows.h"

namespace watershed {
namespace {

using testing::HasSubstr;

std::vector<std::string> Encode(const RecordBatch& batch, size_t max_frame_bytes = kMaxFrameBytes) {
  std::vector<std::string> frames;
  const Status status = EncodeFrames(batch, frames, max_frame_bytes);
  EXPECT_TRUE(status) << status.error().message;
  return frames;
}

std::vector<std::string> RowsOf(const RecordBatch& batch) {
  std::vector<std::string> rows;
  for (int64_t row = 0; row < batch.num_rows(); ++row) rows.push_back(RowText(batch, row));
  return rows;
}

std::vector<std::string> Decoded(const std::vector<std::string>& frames, const SchemaPtr& schema) {
  FrameDecoder decoder(schema);
  std::vector<std::string> rows;
  for (const std::string& frame : frames) {
    const auto batch = decoder.Add(frame);
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch || !*batch) continue;
    for (std::string& row : RowsOf(**batch)) rows.push_back(std::move(row));
  }
  return rows;
}

TEST(FrameCodecTest, RoundTripAtEverySize) {
  for (const bool with_nulls : {false, true}) {
    for (const int64_t rows : {1, 2, 63, 64, 65, 127, 128, 129, 1000}) {
      const RecordBatch batch = AllTypesRows(3, rows, with_nulls);
      for (const size_t max : {size_t{400}, size_t{3000}, kMaxFrameBytes}) {
        const auto frames = Encode(batch, max);
        for (const std::string& frame : frames) EXPECT_LE(frame.size(), max);
        EXPECT_EQ(Decoded(frames, batch.schema()), RowsOf(batch)) << rows << " rows, max " << max;
      }
    }
  }
}

TEST(FrameCodecTest, KeepsRowKinds) {
  RecordBatch batch = AllTypesRows(0, 100);
  std::vector<RowKind> kinds;
  for (int i = 0; i < 100; ++i) kinds.push_back(static_cast<RowKind>(i % 4));
  batch.set_row_kinds(std::make_shared<const std::vector<RowKind>>(kinds));
  EXPECT_EQ(Decoded(Encode(batch, 1000), batch.schema()), RowsOf(batch));
}

TEST(FrameCodecTest, NoFrameForNoRows) { EXPECT_TRUE(Encode(AllTypesRows(0, 0)).empty()); }

SchemaPtr TextSchema() {
  return std::make_shared<const Schema>(std::vector<Field>{{"s", {TypeKind::kString}}});
}

RecordBatch Text(const std::vector<std::string>& values) {
  BatchBuilder builder(TextSchema());
  for (const std::string& value : values) {
    builder.column(0).AppendString(value);
    builder.FinishRow();
  }
  return builder.Finish();
}

TEST(FrameCodecTest, ARowLargerThanAFrameTravelsInParts) {
  const RecordBatch batch = Text({"a", std::string(3'500'000, 'x'), "b", ""});
  const auto frames = Encode(batch);
  EXPECT_EQ(frames.size(), 6u);
  for (const std::string& frame : frames) EXPECT_LE(frame.size(), kMaxFrameBytes);
  EXPECT_EQ(Decoded(frames, batch.schema()), RowsOf(batch));
}

TEST(FrameCodecTest, PartsOutOfOrderAreRefused) {
  const auto frames = Encode(Text({std::string(3'500'000, 'x')}));
  ASSERT_EQ(frames.size(), 4u);
  FrameDecoder middle_first(TextSchema());
  EXPECT_FALSE(middle_first.Add(frames[1]));
  FrameDecoder first_twice(TextSchema());
  EXPECT_TRUE(first_twice.Add(frames[0]));
  EXPECT_FALSE(first_twice.Add(frames[0]));
  FrameDecoder gap(TextSchema());
  EXPECT_TRUE(gap.Add(frames[0]));
  EXPECT_TRUE(gap.Add(frames[1]));
  EXPECT_FALSE(gap.Add(frames[3]));
}

TEST(FrameCodecTest, ARowAboveTheLimitIsTheSendersError) {
  std::vector<std::string> frames;
  const Status status = EncodeFrames(Text({std::string(kMaxBodyBytes, 'x')}), frames);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().domain, ErrorDomain::kUser);
  EXPECT_TRUE(frames.empty());
}

TEST(FrameCodecTest, ReceiverBoundsARowInParts) {
  FrameDecoder decoder(TextSchema());
  std::string part(kMaxFrameBytes, '\0');
  part[0] = kFrameVersion;
  part[1] = 1;
  for (size_t bytes = 0; bytes <= kMaxBodyBytes; bytes += part.size()) {
    const auto result = decoder.Add(part);
    if (!result) {
      EXPECT_THAT(result.error().message, HasSubstr("above the limit"));
      return;
    }
    part[1] = 0;
  }
  FAIL() << "took more than the limit";
}

TEST(FrameCodecTest, ErrorsSayWhatIsWrong) {
  const RecordBatch batch = AllTypesRows(0, 3);
  const std::string frame = Encode(batch)[0];
  const auto message = [&](std::string changed, SchemaPtr schema = AllTypesSchema()) {
    FrameDecoder decoder(std::move(schema));
    const auto result = decoder.Add(changed);
    return result ? std::string("accepted") : result.error().message;
  };
  EXPECT_EQ(message(frame), "accepted");
  std::string other_version = frame;
  other_version[0] = 9;
  EXPECT_THAT(message(other_version), HasSubstr("version 9"));
  EXPECT_THAT(message(frame, TextSchema()), HasSubstr("7 columns, expected 1"));
  EXPECT_THAT(message(frame + "x"), HasSubstr("left over"));
  EXPECT_THAT(message(""), HasSubstr("cut off"));
  std::string other_type = frame;
  other_type[12] = 3;  // kind of the first column
  EXPECT_THAT(message(other_type), HasSubstr("column 's' has type 3"));
}

TEST(FrameCodecTest, EveryTruncationIsRefused) {
  const std::string frame = Encode(AllTypesRows(0, 70))[0];
  for (size_t size = 0; size < frame.size(); ++size) {
    FrameDecoder decoder(AllTypesSchema());
    // A copy of exactly that size, so that the sanitizer sees a read past the end.
    const std::vector<char> cut(frame.begin(), frame.begin() + static_cast<int64_t>(size));
    ASSERT_FALSE(decoder.Add({cut.data(), cut.size()})) << size;
  }
}

// Huge lengths are refused by arithmetic, before anything is allocated for them.
TEST(FrameCodecTest, HugeCountsAllocateNothing) {
  std::string frame = Encode(AllTypesRows(0, 3))[0];
  for (const uint32_t rows : {0xFFFF'FFFFu, 0x8000'0000u, 0x0400'0000u, 100u, 4u}) {
    std::memcpy(frame.data() + 4, &rows, sizeof(rows));
    FrameDecoder decoder(AllTypesSchema());
    EXPECT_FALSE(decoder.Add(frame)) << rows;
  }
}

// Mutated frames are refused or are some other valid batch, whose every value can be read.
TEST(FrameCodecTest, MutatedFramesNeverCrash) {
  std::mt19937_64 random(20261121);
  const auto pick = [&](size_t below) { return static_cast<size_t>(random() % below); };
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string frame =
        Encode(AllTypesRows(round, 1 + static_cast<int64_t>(pick(100)), round % 2 == 0))[0];
    for (size_t changes = 1 + pick(4); changes > 0; --changes) {
      const size_t near = round % 3 == 0 ? std::min<size_t>(frame.size(), 40) : frame.size();
      switch (pick(4)) {
        case 0:
          frame[pick(near)] = static_cast<char>(random());
          break;
        case 1:
          frame[pick(near)] ^= static_cast<char>(1 << pick(8));
          break;
        case 2:
          frame.resize(1 + pick(frame.size()));
          break;
        default: {
          const auto value = static_cast<uint32_t>(random());
          const size_t at = pick(near);
          std::memcpy(frame.data() + at, &value, std::min(sizeof(value), frame.size() - at));
        }
      }
    }
    const std::vector<char> exact(frame.begin(), frame.end());
    FrameDecoder decoder(AllTypesSchema());
    const auto result = decoder.Add({exact.data(), exact.size()});
    if (!result) {
      ++refused;
    } else if (*result) {
      for (int64_t row = 0; row < (*result)->num_rows(); ++row) RowText(**result, row);
    }
  }
  EXPECT_GT(refused, 5'000);
  EXPECT_LT(refused, 20'000);
}

}  // namespace
}  // namespace watershed
