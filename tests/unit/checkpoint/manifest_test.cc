#include "runtime/checkpoint/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "runtime/storage/content_hash.h"
#include "tests/support/faulty_storage.h"

namespace watershed {
namespace {

using testing::HasSubstr;

void AddFile(const std::string& name, int64_t size_bytes, v1::OperatorSnapshot* op) {
  ToProto({name, size_bytes, 7}, op->mutable_keyed_state()->add_files());
}

v1::CheckpointManifest Manifest() {
  v1::CheckpointManifest manifest;
  manifest.set_format_version(kManifestVersion);
  manifest.set_key_encoding_version(1);
  manifest.set_job_id("0123");
  manifest.set_checkpoint_id(7);
  manifest.set_attempt(2);
  v1::SubtaskSnapshot* part = manifest.add_subtasks();
  part->set_vertex_id("v");
  part->set_subtask(3);
  v1::OperatorSnapshot* op = part->add_operators();
  op->set_operator_id("windows");
  (*op->mutable_sections())["watermark"] = std::string("\0\1\2", 3);
  AddFile("shared/2-v-3-u-0", 4, op);
  v1::SinkSnapshot* sink = part->add_sinks();
  sink->set_operator_id("out");
  sink->add_unconfirmed()->set_payload("rows");
  ToProto({"shared/2-v-3-u-1", 5, 8}, sink->add_unconfirmed()->mutable_file());
  return manifest;
}

TEST(Manifest, IsReadAsItWasWritten) {
  const v1::CheckpointManifest manifest = Manifest();
  const auto read = DecodeManifest(EncodeManifest(manifest));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->SerializeAsString(), manifest.SerializeAsString());
}

TEST(Manifest, EveryFlippedBitIsFound) {
  const std::string bytes = EncodeManifest(Manifest());
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      EXPECT_FALSE(DecodeManifest(damaged)) << "byte " << i << " bit " << bit;
    }
  }
}

TEST(Manifest, EveryTruncationAndExtensionIsFound) {
  const std::string bytes = EncodeManifest(Manifest());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeManifest(bytes.substr(0, size))) << size;
    if (size == 0) continue;
    EXPECT_FALSE(DecodeManifest(bytes.substr(size))) << size;
    EXPECT_FALSE(DecodeManifest(bytes + bytes.substr(0, size))) << size;
    EXPECT_FALSE(DecodeManifest(bytes + std::string(size, '\0'))) << size;
  }
}

TEST(Manifest, VersionsAboveOursAreRefusedByName) {
  v1::CheckpointManifest manifest = Manifest();
  manifest.set_format_version(kManifestVersion + 1);
  auto read = DecodeManifest(EncodeManifest(manifest));
  ASSERT_FALSE(read);
  // Not damage, after which an older checkpoint would be taken.
  EXPECT_EQ(read.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(read.error().message, HasSubstr("format version is 2"));
  manifest = Manifest();
  manifest.set_format_version(0);
  EXPECT_FALSE(DecodeManifest(EncodeManifest(manifest)));
  manifest = Manifest();
  manifest.set_key_encoding_version(2);
  read = DecodeManifest(EncodeManifest(manifest));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(read.error().message, HasSubstr("encoded by version 2"));
  std::string framing = EncodeManifest(Manifest());
  framing[7] = '2';
  read = DecodeManifest(framing);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("framing has version '2'"));
}

class StoredManifestTest : public testing::Test {
 protected:
  StoredManifestTest() {
    EXPECT_EQ(storage_.PutIfAbsent(kName, bytes_), true);
    EXPECT_EQ(storage_.PutIfAbsent("shared/2-v-3-u-0", "1234"), true);
    EXPECT_EQ(storage_.PutIfAbsent("shared/2-v-3-u-1", "12345"), true);
  }

  static constexpr char kName[] = "chk-7-2/_metadata";
  const std::string bytes_ = EncodeManifest(Manifest());
  const StoredFile expected_{kName, static_cast<int64_t>(bytes_.size()), ContentHash::Of(bytes_)};
  FaultyStorage storage_{&SystemClock()};
};

TEST_F(StoredManifestTest, IsReadAndCompared) {
  EXPECT_TRUE(ReadManifest(storage_, kName));
  EXPECT_TRUE(ReadManifest(storage_, kName, &expected_));
}

TEST_F(StoredManifestTest, AnotherOneThanTheLogKnowsIsRefused) {
  v1::CheckpointManifest other = Manifest();
  other.set_checkpoint_id(8);
  ASSERT_TRUE(storage_.Replace(kName, EncodeManifest(other)));
  EXPECT_TRUE(ReadManifest(storage_, kName));  // whole in itself
  const auto read = ReadManifest(storage_, kName, &expected_);
  ASSERT_FALSE(read);
  EXPECT_FALSE(read.error().retryable);
  EXPECT_THAT(read.error().message, HasSubstr("memory://storage/chk-7-2/_metadata"));
  EXPECT_THAT(read.error().message, HasSubstr("where the log says"));
}

TEST_F(StoredManifestTest, DamageAndAbsenceNameTheObjectAndAreNotRetryable) {
  ASSERT_TRUE(storage_.Flip(kName, 40));
  auto read = ReadManifest(storage_, kName);
  ASSERT_FALSE(read);
  EXPECT_FALSE(read.error().retryable);
  EXPECT_THAT(read.error().message, HasSubstr("memory://storage/chk-7-2/_metadata"));
  ASSERT_TRUE(storage_.Remove(kName));
  read = ReadManifest(storage_, kName);
  ASSERT_FALSE(read);
  EXPECT_FALSE(read.error().retryable);
  EXPECT_THAT(read.error().message, HasSubstr("not there"));
  storage_.SetFaults([](const StorageCall&) { return StorageFault::kFail; });
  EXPECT_TRUE(ReadManifest(storage_, kName).error().retryable);
}

TEST_F(StoredManifestTest, EveryFileMustBeThereWithItsSize) {
  EXPECT_TRUE(CheckFiles(storage_, Manifest()));
  ASSERT_TRUE(storage_.Replace("shared/2-v-3-u-1", "1234"));
  Status checked = CheckFiles(storage_, Manifest());
  ASSERT_FALSE(checked);
  EXPECT_FALSE(checked.error().retryable);
  EXPECT_THAT(checked.error().message,
              HasSubstr("checkpoint 7, operator 'out', subtask 3: "
                        "'memory://storage/shared/2-v-3-u-1' is damaged: it has 4 bytes"));
  ASSERT_TRUE(storage_.Remove("shared/2-v-3-u-0"));
  checked = CheckFiles(storage_, Manifest());
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message,
              HasSubstr("operator 'windows', subtask 3: "
                        "'memory://storage/shared/2-v-3-u-0' is not there"));
  storage_.SetFaults([](const StorageCall&) { return StorageFault::kFail; });
  EXPECT_TRUE(CheckFiles(storage_, Manifest()).error().retryable);
}

}  // namespace
}  // namespace watershed
