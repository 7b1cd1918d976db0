#include "runtime/checkpoint/savepoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/storage/content_hash.h"
#include "runtime/types/clock.h"
#include "runtime/types/key_encoding.h"
#include "tests/support/faulty_storage.h"

namespace watershed {
namespace {

using testing::HasSubstr;

class SavepointTest : public testing::Test {
 protected:
  SavepointTest() {
    manifest_.set_format_version(kManifestVersion);
    manifest_.set_key_encoding_version(kKeyEncodingVersion);
    manifest_.set_checkpoint_id(7);
    for (int i = 0; i < 2; ++i) {
      v1::SubtaskSnapshot* part = manifest_.add_subtasks();
      part->set_subtask(i);
      v1::OperatorSnapshot* op = part->add_operators();
      op->set_operator_id("w");
      // The first is of both subtasks, as after a rescale.
      AddFile("shared/1-v-0-u-0", "state of both", op->mutable_keyed_state()->add_files());
      AddFile("shared/1-v-1-u-" + std::to_string(i), "own", op->mutable_keyed_state()->add_files());
    }
    v1::SinkSnapshot* sink = manifest_.mutable_subtasks(1)->add_sinks();
    AddFile("shared/1-v-1-u-9", "rows", sink->add_unconfirmed()->mutable_file());
  }
  void AddFile(const std::string& name, const std::string& content, v1::FileRef* file) {
    (void)job_.PutIfAbsent(name, content);
    file->set_name(name);
    file->set_size_bytes(static_cast<int64_t>(content.size()));
    file->set_xxh3(ContentHash::Of(content));
  }
  static size_t Objects(ObjectStorage& storage) { return storage.List("").value().size(); }

  FaultyStorage job_{&SystemClock()}, savepoint_{&SystemClock()}, parent_{&SystemClock()};
  v1::CheckpointManifest manifest_;
};

TEST_F(SavepointTest, HasEveryFileOnceAndAManifestThatSaysWhatItIs) {
  ASSERT_TRUE(WriteSavepoint(job_, savepoint_, manifest_));
  EXPECT_EQ(Objects(savepoint_), 5u);
  const auto manifest = ReadManifest(savepoint_, SavepointManifestName());
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_TRUE(manifest->is_savepoint());
  EXPECT_TRUE(CheckFiles(savepoint_, *manifest));
  EXPECT_EQ(savepoint_.Get("shared/1-v-1-u-9").value(), "rows");
}

TEST_F(SavepointTest, ADamagedFileOrAFullDiskFailsItAndLeavesNothing) {
  manifest_.mutable_subtasks(1)->mutable_sinks(0)->mutable_unconfirmed(0)->mutable_file()->set_xxh3(
      1);
  const Status damaged = WriteSavepoint(job_, savepoint_, manifest_);
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().message, HasSubstr("1-v-1-u-9"));
  EXPECT_EQ(Objects(savepoint_), 0u);
  savepoint_.SetFaults([](const StorageCall&) { return StorageFault::kFull; });
  EXPECT_THAT(WriteSavepoint(job_, savepoint_, manifest_).error().message, HasSubstr("space"));
  savepoint_.SetFaults(nullptr);
  EXPECT_EQ(Objects(savepoint_), 0u);
}

TEST_F(SavepointTest, NeverWritesOverAnother) {
  ASSERT_TRUE(WriteSavepoint(job_, savepoint_, manifest_));
  const Status again = WriteSavepoint(job_, savepoint_, manifest_);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("is there already"));
  EXPECT_EQ(Objects(savepoint_), 5u);
}

TEST_F(SavepointTest, IsDeletedWithAllItsFilesAndNothingElse) {
  ASSERT_TRUE(WriteSavepoint(job_, savepoint_, manifest_));
  const std::vector<ObjectInfo> written = savepoint_.List("").value();
  for (const ObjectInfo& object : written) {
    ASSERT_TRUE(
        parent_.PutIfAbsent("savepoint-1/" + object.name, *savepoint_.Get(object.name).value()));
  }
  ASSERT_TRUE(parent_.PutIfAbsent("savepoint-2/_metadata", "of another"));
  EXPECT_THAT(DeleteSavepoint(parent_, "savepoint-3").error().message, HasSubstr("no savepoint"));
  EXPECT_FALSE(DeleteSavepoint(parent_, "savepoint-2"));  // damaged: nothing is known of its files
  ASSERT_TRUE(DeleteSavepoint(parent_, "savepoint-1"));
  EXPECT_EQ(Objects(parent_), 1u);
}

TEST_F(SavepointTest, ACheckpointOfAJobIsNotDeleted) {
  ASSERT_TRUE(parent_.PutIfAbsent("savepoint-1/_metadata", EncodeManifest(manifest_)));
  EXPECT_THAT(DeleteSavepoint(parent_, "savepoint-1").error().message,
              HasSubstr("not a savepoint"));
  EXPECT_EQ(Objects(parent_), 1u);
}

TEST_F(SavepointTest, ItsPathSaysOfWhichJobItIs) {
  const std::string path = SavepointPath("file:///s/", JobId{"3f2a0123456789abcdef0123456789ab"},
                                         CheckpointId{7}, "a1b2c3d4e5f60718");
  EXPECT_EQ(path, "file:///s/savepoint-3f2a01-7-a1b2c3d4");
  for (const std::string& shown : {path, path + "/", path + "/_metadata"}) {
    const auto restore = ParseRestorePath(shown);
    ASSERT_TRUE(restore);
    EXPECT_EQ(restore->directory, path);
    EXPECT_EQ(restore->manifest, "_metadata");
    const auto place = ParseSavepointPath(shown);
    ASSERT_TRUE(place);
    EXPECT_EQ(place->parent, "file:///s");
    EXPECT_EQ(place->folder, "savepoint-3f2a01-7-a1b2c3d4");
  }
  EXPECT_FALSE(ParseSavepointPath("file:///c/job/chk-7-2"));
}

}  // namespace
}  // namespace watershed
