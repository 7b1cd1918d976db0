#include "runtime/checkpoint/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/storage/object_name.h"

namespace watershed {
namespace {

using testing::HasSubstr;

TEST(Layout, NamesAreThoseOfTheHeader) {
  EXPECT_EQ(ManifestName(CheckpointId{7}, Attempt{2}), "chk-7-2/_metadata");
  EXPECT_TRUE(ManifestName(CheckpointId{7}, Attempt{2}).starts_with(ManifestPrefix()));
  const std::string prefix = SharedPrefix(Attempt{3}, "ab12", SubtaskIndex{1}, "cafe");
  EXPECT_EQ(prefix, "shared/3-ab12-1-cafe");
  EXPECT_TRUE(CheckObjectName(prefix + "-0"));
}

TEST(Layout, TheAttemptOfAFileIsInItsName) {
  EXPECT_EQ(AttemptOfFile(ManifestName(CheckpointId{7}, Attempt{2})), Attempt{2});
  EXPECT_EQ(AttemptOfFile(SharedPrefix(Attempt{3}, "ab12", SubtaskIndex{1}, "cafe") + "-0"),
            Attempt{3});
  EXPECT_EQ(AttemptOfFile("chk-7-2147483647/_metadata"), Attempt{2147483647});
}

TEST(Layout, OtherNamesAreNotOurs) {
  for (const char* name : {"",
                           "chk-",
                           "chk-7",
                           "chk-7-2",
                           "chk-7-2/",
                           "chk-7-2/_metadata2",
                           "chk-7-2/other",
                           "chk-7-x/_metadata",
                           "chk--7-2/_metadata",
                           "chk-7--2/_metadata",
                           "chk-07-2/_metadata",
                           "chk-7-2147483648/_metadata",
                           "chk-99999999999999999999-2/_metadata",
                           "shared/",
                           "shared/x",
                           "shared/3",
                           "shared/-3-ab",
                           "shared/03-ab",
                           "savepoint/3-ab",
                           "x/chk-7-2/_metadata",
                           "Shared/3-ab-0-x-0"}) {
    EXPECT_EQ(AttemptOfFile(name), std::nullopt) << name;
  }
}

TEST(Layout, ARestorePathIsADirectoryOrItsManifest) {
  for (const char* path :
       {"file:///c/job/chk-7-2", "file:///c/job/chk-7-2/", "file:///c/job/chk-7-2//",
        "file:///c/job/chk-7-2/_metadata", "file:///c/job/chk-7-2/_metadata/"}) {
    const auto parsed = ParseRestorePath(path);
    ASSERT_TRUE(parsed) << path;
    EXPECT_EQ(parsed->directory, "file:///c/job");
    EXPECT_EQ(parsed->manifest, "chk-7-2/_metadata");
  }
  for (const char* path :
       {"", "/", "chk-7-2", "file:///c/job", "file:///c/job/chk-7", "file:///c/job/chk-7-2/shared",
        "file:///c/job/_metadata", "/chk-7-2", "file:///c/job/chk-7-2/_metadata/x", "_metadata"}) {
    const auto parsed = ParseRestorePath(path);
    ASSERT_FALSE(parsed) << path;
    EXPECT_EQ(parsed.error().domain, ErrorDomain::kUser);
    EXPECT_THAT(parsed.error().message, HasSubstr("chk-7-2 ("));
  }
}

}  // namespace
}  // namespace watershed
