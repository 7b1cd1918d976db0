// What a snapshot names is what is read, whole or in pieces, or an error says what is wrong.
#include "runtime/storage/stored_bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/storage/content_hash.h"
#include "tests/support/faulty_storage.h"
#include "tests/unit/storage/temporary_folder.h"

namespace watershed {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class StoredBytesTest : public testing::Test {
 protected:
  StoredBytesTest() { EXPECT_EQ(storage_.PutIfAbsent("folder/x", kContent), true); }

  // By pieces of this many bytes.
  Result<std::string> ReadPieces(const StoredFile& file, size_t piece_size) {
    WS_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectReader> reader, OpenStored(storage_, file));
    std::string bytes;
    for (int64_t left = reader->size_bytes(); left > 0;) {
      std::string piece(std::min(piece_size, static_cast<size_t>(left)), '?');
      WS_ASSIGN_OR_RETURN(const size_t size, reader->Read(piece));
      bytes.append(piece, 0, size);
      left -= static_cast<int64_t>(size);
    }
    return bytes;
  }
  // The message of each way to read it; "" if it was read.
  std::vector<std::string> Messages(const StoredFile& file) {
    std::vector<std::string> messages;
    for (const auto& read :
         {ReadStored(storage_, file), ReadPieces(file, 3), ReadPieces(file, 5)}) {
      messages.push_back(read ? "" : read.error().message);
      EXPECT_EQ(read.value_or(std::string(kContent)), kContent);
    }
    return messages;
  }

  static constexpr std::string_view kContent = "0123456789";
  FaultyStorage storage_{&SystemClock()};
  StoredFile file_{"folder/x", 10, ContentHash::Of(kContent)};
};

TEST_F(StoredBytesTest, WhatIsRightIsRead) { EXPECT_THAT(Messages(file_), testing::Each("")); }

TEST_F(StoredBytesTest, AnObjectThatIsNotThereIsNamed) {
  ASSERT_TRUE(storage_.Remove("folder/x"));
  EXPECT_THAT(Messages(file_),
              testing::Each(AllOf(HasSubstr("'folder/x' is not in"), HasSubstr(storage_.uri()))));
}

TEST_F(StoredBytesTest, AnotherSizeIsFoundBeforeAnythingIsRead) {
  ASSERT_TRUE(storage_.Replace("folder/x", "0123456789a"));
  EXPECT_THAT(Messages(file_), testing::Each(HasSubstr("(11 bytes, 10 expected)")));
  EXPECT_FALSE(OpenStored(storage_, file_));
}

TEST_F(StoredBytesTest, EveryByteCounts) {
  for (size_t at = 0; at < kContent.size(); ++at) {
    ASSERT_TRUE(storage_.Flip("folder/x", at));
    EXPECT_THAT(Messages(file_), testing::Each(HasSubstr("'folder/x'"))) << at;
    ASSERT_TRUE(storage_.Flip("folder/x", at));
  }
}

TEST(StoredFileBytes, ACutAfterItWasOpenedIsFound) {
  const TemporaryFolder folder;
  const auto storage = OpenStorage("file://" + folder.path().string()).value();
  ASSERT_EQ(storage->PutIfAbsent("x", "0123456789"), true);
  const auto reader = OpenStored(*storage, {"x", 10, ContentHash::Of("0123456789")});
  ASSERT_TRUE(reader);
  std::filesystem::resize_file(folder.path() / "x", 7);
  std::string piece(5, '?');
  EXPECT_EQ((*reader)->Read(piece), 5);
  const Result<size_t> rest = (*reader)->Read(piece);
  ASSERT_FALSE(rest);
  EXPECT_THAT(rest.error().message, HasSubstr("(7 bytes, 10 expected)"));
}

}  // namespace
}  // namespace watershed
