#include "runtime/connectors/filesystem/file_name.h"

#include <gtest/gtest.h>

#include <set>

namespace watershed {
namespace {

TEST(FileNameTest, SaysSinkLineageWriterAndEpoch) {
  const std::string prefix = FilePrefix({"abc", "by_host-1", 3});
  EXPECT_EQ(prefix, "by_host-1.abc.3.");
  EXPECT_EQ(FileName(prefix, CheckpointId{12}, "json"), "by_host-1.abc.3.12.json");
  EXPECT_EQ(FileName(prefix, Attempt{2}, CheckpointId{12}, "csv"), "by_host-1.abc.3.2-12.csv");
}

TEST(FileNameTest, NoTwoWritersShareAPrefixAndNoneIsHiddenOrElsewhere) {
  const WriterId writers[] = {{"a", "b.c", 1},  {"a.b", "c", 1}, {"a", "b", 1},    {"a", "b", 11},
                              {"a", "../b", 1}, {"a", ".b", 1},  {"a", "b%2e", 1}, {"a", "b/c", 1}};
  std::set<std::string> prefixes;
  for (const WriterId& writer : writers) {
    const std::string prefix = FilePrefix(writer);
    EXPECT_TRUE(prefixes.insert(prefix).second) << prefix;
    EXPECT_EQ(prefix.find('/'), std::string::npos) << prefix;
    EXPECT_NE(prefix[0], '.') << prefix;
  }
  for (const std::string& one : prefixes) {
    for (const std::string& other : prefixes) EXPECT_TRUE(one == other || !one.starts_with(other));
  }
}

TEST(FileNameTest, EpochsAreReadBack) {
  const std::string prefix = FilePrefix({"abc", "hits", 0});
  EXPECT_EQ(EpochOfFile("hits.abc.0.12.json", prefix), CheckpointId{12});
  for (const char* other :
       {"hits.abc.0.1-12.json", "hits.abc.0.x.json", "hits.abc.0.12", "hits.abc.0.",
        "hits.abc.1.12.json", "hits.xyz.0.12.json", ".unfinished", ""}) {
    EXPECT_EQ(EpochOfFile(other, prefix), std::nullopt) << other;
  }
}

TEST(FileNameTest, OwnersAndMarkersAreReadBack) {
  const std::string prefix = FilePrefix({"abc", "hits", 0});
  const WriterOwner owner = {{7}, "0a1b"};
  EXPECT_EQ(DirectoryName(prefix, owner), ".watershed.hits.abc.0.7.0a1b");
  EXPECT_EQ(OwnerOfDirectory(".watershed.hits.abc.0.7.0a1b", prefix), owner);
  for (const char* other : {"hits.abc.0.7.0a1b", ".watershed.hits.abc.1.7.0a1b",
                            ".watershed.hits.abc.0.x.0a1b", ".watershed.hits.abc.0.7"}) {
    EXPECT_EQ(OwnerOfDirectory(other, prefix), std::nullopt) << other;
  }
  const auto marker = MarkerOf(MarkerName({12}, "0a1b"));
  ASSERT_TRUE(marker);
  EXPECT_EQ(marker->epoch.value, 12);
  EXPECT_EQ(marker->job, "0a1b");
  EXPECT_FALSE(MarkerOf("hits.abc.0.12.json"));
}

}  // namespace
}  // namespace watershed
