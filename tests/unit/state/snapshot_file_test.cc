// The files of snapshots: what comes back, and that damage is found wherever it is.
#include "runtime/state/snapshot_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/storage/bytes_reader.h"
#include "runtime/storage/content_hash.h"

namespace watershed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr SnapshotFileHeader kHeader{16, {4, 7}};

// All chunks.
Status ReadRows(SnapshotFileReader& reader, KeyGroupRange groups,
                const SnapshotFileReader::Visit& visit) {
  for (;;) {
    WS_ASSIGN_OR_RETURN(const bool more, reader.NextChunk());
    if (!more) return Ok();
    WS_RETURN_IF_ERROR(reader.ForEachRow(groups, visit));
  }
}

Result<std::vector<std::string>> Read(std::string_view bytes, KeyGroupRange groups = {0, 15}) {
  BytesReader file{std::string(bytes)};
  WS_ASSIGN_OR_RETURN(SnapshotFileReader reader, SnapshotFileReader::Open("file-7", file));
  std::vector<std::string> rows;
  WS_RETURN_IF_ERROR(ReadRows(reader, groups, [&](const SnapshotRow& row) {
    rows.push_back(row.deleted ? fmt::format("{}:{} gone", row.group.value, row.key)
                               : fmt::format("{}:{}={}@{}", row.group.value, row.key, row.value,
                                             row.timer_ms == kNoTimer ? 0 : row.timer_ms));
    return Ok();
  }));
  return rows;
}

// Two chunks; "a" occurs in both and twice in the first.
std::string SmallFile() {
  std::string file = EncodeSnapshotFileHeader(kHeader);
  SnapshotChunk chunk(kHeader.key_groups);
  chunk.Append({{6}, "b", "two", 20});
  chunk.Append({{4}, "a", "one", -10});
  chunk.Append({{6}, "c", "", kNoTimer});
  chunk.Append({{4}, "a", "ONE", kNoTimer});
  file += chunk.Close();
  chunk.Append({{7}, std::string(200, 'k'), std::string(300, 'v'), 1'700'000'000'000});
  SnapshotRow end{{4}, "a"};
  end.deleted = true;
  chunk.Append(end);
  file += chunk.Close();
  EXPECT_TRUE(chunk.empty());
  return file;
}

TEST(SnapshotFile, RowsComeBackByKeyGroupAndOfOneKeyInOrder) {
  EXPECT_THAT(*Read(SmallFile(), {0, 6}),
              ElementsAre("4:a=one@-10", "4:a=ONE@0", "6:b=two@20", "6:c=@0", "4:a gone"));
  EXPECT_THAT(*Read(SmallFile(), {6, 6}), ElementsAre("6:b=two@20", "6:c=@0"));
  EXPECT_THAT(*Read(SmallFile(), {7, 7}), ElementsAre("7:" + std::string(200, 'k') + "=" +
                                                      std::string(300, 'v') + "@1700000000000"));
  EXPECT_THAT(*Read(EncodeSnapshotFileHeader(kHeader)), IsEmpty());
}

TEST(SnapshotFile, TheHeaderSaysWhoWroteIt) {
  BytesReader file(SmallFile());
  const auto reader = SnapshotFileReader::Open("file-7", file);
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->header().max_parallelism, 16);
  EXPECT_EQ(reader->header().key_groups.first, 4);
  EXPECT_EQ(reader->header().key_groups.last, 7);
}

TEST(SnapshotFile, EveryDamagedByteIsFound) {
  const std::string good = SmallFile();
  for (size_t at = 0; at < good.size(); ++at) {
    for (const uint8_t mask : {0x01, 0x80, 0xFF}) {
      std::string bad = good;
      bad[at] = static_cast<char>(static_cast<uint8_t>(bad[at]) ^ mask);
      const auto read = Read(bad);
      ASSERT_FALSE(read) << "byte " << at << " mask " << int{mask};
      EXPECT_THAT(read.error().message, HasSubstr("file-7"));
    }
  }
}

// An end between two chunks is found by the size that whoever names the file knows.
TEST(SnapshotFile, EveryCutIsFound) {
  const std::string good = SmallFile();
  int whole = 0;
  for (size_t size = 0; size < good.size(); ++size) {
    if (Read(std::string_view(good).substr(0, size))) ++whole;
  }
  EXPECT_EQ(whole, 2);  // the header alone, and the first chunk
}

// Somebody cuts the file after it was opened.
TEST(SnapshotFile, AnEndBeforeTheSizeThatWasSaidIsFound) {
  class CutReader final : public ObjectReader {
   public:
    explicit CutReader(std::string bytes) : bytes_(std::move(bytes)) {}
    int64_t size_bytes() const override { return bytes_.size_bytes() + 1000; }
    Result<size_t> Read(std::span<char> into) override { return bytes_.Read(into); }

   private:
    BytesReader bytes_;
  };
  CutReader file(SmallFile());
  auto reader = SnapshotFileReader::Open("file-7", file);
  ASSERT_TRUE(reader);
  const Status read = ReadRows(*reader, {0, 15}, [](const SnapshotRow&) { return Ok(); });
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("chunk 2 of the snapshot file 'file-7'"));
}

TEST(SnapshotFile, OneChunkIsInMemoryAtATime) {
  class CountingReader final : public ObjectReader {
   public:
    explicit CountingReader(std::string bytes) : bytes_(std::move(bytes)) {}
    int64_t size_bytes() const override { return bytes_.size_bytes(); }
    Result<size_t> Read(std::span<char> into) override {
      read_ += into.size();
      return bytes_.Read(into);
    }
    size_t read() const { return read_; }

   private:
    BytesReader bytes_;
    size_t read_ = 0;
  };
  std::string bytes = EncodeSnapshotFileHeader(kHeader);
  SnapshotChunk chunk(kHeader.key_groups);
  std::vector<size_t> ends;  // of each chunk in the file
  for (int i = 0; i < 3; ++i) {
    chunk.Append({{5}, "key", "value", 1});
    bytes += chunk.Close();
    ends.push_back(bytes.size());
  }
  CountingReader file(bytes);
  auto reader = SnapshotFileReader::Open("file-7", file);
  ASSERT_TRUE(reader);
  std::vector<size_t> read_at_row;
  ASSERT_TRUE(ReadRows(*reader, {0, 15}, [&](const SnapshotRow&) {
    read_at_row.push_back(file.read());
    return Ok();
  }));
  EXPECT_EQ(read_at_row, ends);
}

// What the checksum does not catch, because somebody wrote it so.
TEST(SnapshotFile, RowsThatAreNoneAreFoundBehindARightChecksum) {
  const std::string good = SmallFile();
  const size_t rows_begin = 24 + 24 + 2 * 12;  // of the first chunk
  // Its first row is "a": sizes 1 and 1 + (3 << 1 | 1).
  ASSERT_EQ(good[rows_begin], 1);
  ASSERT_EQ(good[rows_begin + 1], 8);
  for (const char wrong : {char{0x7F}, static_cast<char>(0xFF)}) {
    for (const size_t at : {rows_begin, rows_begin + 1}) {
      std::string bad = good;
      bad[at] = wrong;
      const auto body_size = static_cast<size_t>(static_cast<uint8_t>(bad[24 + 8]));
      const uint64_t hash = ContentHash::Of(std::string_view(bad).substr(24 + 8, 16 + body_size));
      bad.replace(24, sizeof hash, reinterpret_cast<const char*>(&hash), sizeof hash);
      const auto read = Read(bad);
      ASSERT_FALSE(read);
      EXPECT_THAT(read.error().message, HasSubstr("chunk 0"));
      EXPECT_THAT(read.error().message, HasSubstr("key group 4"));
    }
  }
}

// Somebody has to start another version: to try again cannot help, and the file is not damaged.
TEST(SnapshotFile, AnotherFormatIsRefusedByNameForAUserToAct) {
  for (const char version : {0, 9}) {
    std::string file = SmallFile();
    file[7] = version;
    const auto read = Read(file);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().domain, ErrorDomain::kUser);
    EXPECT_FALSE(read.error().retryable);
    EXPECT_EQ(read.error().damaged_file, "");
    EXPECT_THAT(read.error().message,
                HasSubstr(fmt::format("format version is {} ", int{version})));
    EXPECT_THAT(read.error().message, HasSubstr("with the version that wrote it, or a later one"));
  }
}

TEST(SnapshotFile, TextThatIsNoSnapshotIsRefused) {
  EXPECT_FALSE(Read(""));
  EXPECT_FALSE(Read("PK\x03\x04 something else altogether, and long enough"));
}

}  // namespace
}  // namespace watershed
