#include "jobmanager/store/log_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watershed {
namespace {

using testing::HasSubstr;

LogFrame Frame() {
  return {.number = 12,
          .is_snapshot = true,
          .writer = 0x1122334455667788,
          .previous_checksum = 42,
          .payload = std::string("content\0of an entry", 19)};
}

TEST(LogFrame, IsReadAsItWasWritten) {
  LogFrame frame = Frame();
  const std::string bytes = EncodeLogFrame(frame);
  const auto read = DecodeLogFrame(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->number, 12);
  EXPECT_TRUE(read->is_snapshot);
  EXPECT_EQ(read->writer, frame.writer);
  EXPECT_EQ(read->previous_checksum, 42U);
  EXPECT_EQ(read->checksum, frame.checksum);
  EXPECT_EQ(read->payload, frame.payload);
}

TEST(LogFrame, EveryFlippedBitIsFound) {
  LogFrame frame = Frame();
  const std::string bytes = EncodeLogFrame(frame);
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      EXPECT_FALSE(DecodeLogFrame(damaged)) << "byte " << i << " bit " << bit;
    }
  }
}

TEST(LogFrame, EveryTruncationAndExtensionIsFound) {
  LogFrame frame = Frame();
  const std::string bytes = EncodeLogFrame(frame);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeLogFrame(bytes.substr(0, size))) << size;
    if (size > 0) {
      EXPECT_FALSE(DecodeLogFrame(bytes + bytes.substr(0, size))) << size;
    }
  }
  EXPECT_THAT(DecodeLogFrame(bytes + "x").error().message,
              HasSubstr("20 bytes follow its header where it says 19"));
}

TEST(LogFrame, AnotherVersionIsRefusedByName) {
  LogFrame frame = Frame();
  std::string bytes = EncodeLogFrame(frame);
  bytes[8] = 2;
  const auto read = DecodeLogFrame(bytes);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(read.error().message, HasSubstr("version is 2"));
}

// Logs on disk must be read by later versions: these bytes were written by this one.
TEST(LogFrame, TheFormatStays) {
  LogFrame frame{.number = 1, .writer = 2, .previous_checksum = 3, .payload = "x"};
  const std::string bytes = EncodeLogFrame(frame);
  const std::string expected(
      "WSLOGENT\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"
      "\3\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0",
      48);
  EXPECT_EQ(bytes.substr(0, 48), expected);
  EXPECT_EQ(frame.checksum, 0x160f504028614625U);
}

}  // namespace
}  // namespace watershed
