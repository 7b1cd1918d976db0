#include "runtime/connectors/filesystem/sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "runtime/formats/registry.h"
#include "runtime/types/planted_bug.h"
#include "tests/support/test_directory.h"
#include "watershed/v1/types.pb.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

SchemaPtr OneColumn() {
  static const SchemaPtr kSchema =
      std::make_shared<const Schema>(std::vector<Field>{{"n", {TypeKind::kInt64}}});
  return kSchema;
}

RecordBatch Numbers(int64_t first, int64_t count) {
  BatchBuilder builder(OneColumn());
  for (int64_t n = first; n < first + count; ++n) {
    builder.column(0).AppendInt64(n);
    builder.FinishRow();
  }
  return builder.Finish();
}

class FilesystemSinkTest : public testing::Test {
 protected:
  std::string path() const { return directory_.path() + "/out"; }
  std::string PathOf(const std::string& name) const { return path() + "/" + name; }

  // Of the job "a".
  std::unique_ptr<Sink> Make(OptionMap options = {}, const std::string& format_name = "json",
                             int32_t subtask = 0) {
    v1::Format format;
    format.set_name(format_name);
    auto encoder = MakeEncoder(format, OneColumn());
    ConnectorContext context;
    context.job = {"a"};
    context.operator_id = "hits";
    context.subtask = {subtask};
    options.emplace("path", path());
    auto sink = MakeFilesystemSink(options, *std::move(encoder), context);
    EXPECT_TRUE(sink) << sink.error().message;
    return *std::move(sink);
  }

  static Result<std::vector<WriterMarker>> Fence(Sink& sink, int32_t attempt,
                                                 const std::vector<int32_t>& writers = {0}) {
    const Status opened = sink.Open();
    EXPECT_TRUE(opened) << opened.error().message;
    std::vector<WriterId> ids;
    ids.reserve(writers.size());
    for (const int32_t writer : writers) ids.push_back({"abc", "hits", writer});
    return sink.Fence(ids, {attempt});
  }

  std::unique_ptr<Sink> Start(int32_t attempt, const OptionMap& options = {},
                              const std::string& format_name = "json") {
    auto sink = Make(options, format_name);
    const auto markers = Fence(*sink, attempt);
    EXPECT_TRUE(markers) << markers.error().message;
    return sink;
  }

  static std::vector<SinkSegment> Prepare(Sink& sink, int64_t epoch, int64_t first, int64_t count) {
    EXPECT_TRUE(sink.Write(Numbers(first, count)));
    auto segments = sink.Prepare({epoch});
    EXPECT_TRUE(segments);
    return *std::move(segments);
  }

  // What readers see.
  std::vector<std::string> Visible() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path())) {
      const std::string name = entry.path().filename();
      if (!name.starts_with('.')) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
  }

  std::string Content(const std::string& name) const {
    std::ifstream file(PathOf(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const TestDirectory directory_;
};

TEST_F(FilesystemSinkTest, NothingIsSeenBeforeTheCommit) {
  const auto sink = Start(1);
  const auto segments = Prepare(*sink, 5, 1, 2);
  EXPECT_THAT(Visible(), IsEmpty());
  ASSERT_TRUE(sink->Commit({5}, segments));
  EXPECT_THAT(Visible(), ElementsAre("hits.abc.0.5.json"));
  EXPECT_EQ(Content("hits.abc.0.5.json"), "{\"n\":1}\n{\"n\":2}\n");
}

TEST_F(FilesystemSinkTest, AnEpochOfSeveralSegmentsIsOneFile) {
  const auto sink = Start(1, {}, "csv");
  std::vector<SinkSegment> segments = Prepare(*sink, 5, 1, 1);
  segments.push_back(Prepare(*sink, 5, 2, 1).front());
  ASSERT_TRUE(sink->Commit({5}, segments));
  EXPECT_THAT(Visible(), ElementsAre("hits.abc.0.5.csv"));
  EXPECT_EQ(Content("hits.abc.0.5.csv"), "1\n2\n");
}

TEST_F(FilesystemSinkTest, ACommitAskedAgainChangesNothingThoughTheFileWasMoved) {
  const auto sink = Start(1);
  const auto segments = Prepare(*sink, 5, 1, 2);
  ASSERT_TRUE(sink->Commit({5}, segments));
  ASSERT_TRUE(sink->Commit({5}, segments));
  EXPECT_THAT(Visible(), ElementsAre("hits.abc.0.5.json"));
  fs::remove(PathOf("hits.abc.0.5.json"));
  ASSERT_TRUE(sink->Commit({5}, segments));
  EXPECT_THAT(Visible(), IsEmpty());
}

TEST_F(FilesystemSinkTest, ARestoredEpochIsPublishedOnceByWhoeverTakesTheWriterOver) {
  const auto first = Start(1);
  const auto committed = Prepare(*first, 5, 1, 2);
  const auto left = Prepare(*first, 6, 3, 1);
  ASSERT_TRUE(first->Commit({5}, committed));
  fs::remove(PathOf("hits.abc.0.5.json"));

  // Another subtask, which has a writer of its own.
  const auto second = Make({}, "json", 3);
  const auto markers = Fence(*second, 2, {3, 0});
  ASSERT_TRUE(markers) << markers.error().message;
  ASSERT_EQ(markers->size(), 2);
  EXPECT_EQ((*markers)[0].last_committed_epoch.value, -1);
  EXPECT_EQ((*markers)[1].last_committed_epoch.value, 5);
  EXPECT_EQ((*markers)[1].committed_by, "a");
  std::vector<SinkSegment> listed = committed;
  listed.push_back(left.front());
  ASSERT_TRUE(second->Recover(listed));
  ASSERT_TRUE(second->Recover({}));
  EXPECT_THAT(Visible(), ElementsAre("hits.abc.0.6.json"));
  ASSERT_TRUE(second->Commit({7}, Prepare(*second, 7, 4, 1)));
  EXPECT_THAT(Visible(), ElementsAre("hits.abc.0.6.json", "hits.abc.3.7.json"));
}

TEST_F(FilesystemSinkTest, AFormerAttemptPublishesNothingMore) {
  const auto zombie = Start(1);
  ASSERT_TRUE(zombie->Commit({5}, Prepare(*zombie, 5, 1, 1)));
  const auto next = Start(2);
  const Status status = zombie->Commit({6}, Prepare(*zombie, 6, 2, 1));
  ASSERT_FALSE(status);
  EXPECT_FALSE(status.error().retryable);
  EXPECT_EQ(status.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(status.error().message,
              HasSubstr("attempt 2 has taken writer 0 of " + path() + " over from attempt 1"));
  // Nor does it come back by taking the writer over.
  const auto fenced = Fence(*zombie, 1);
  ASSERT_FALSE(fenced);
  EXPECT_THAT(fenced.error().message, HasSubstr("attempt 2 has taken writer 0"));
  EXPECT_THAT(Visible(), ElementsAre("hits.abc.0.5.json"));
  ASSERT_TRUE(next->Commit({6}, Prepare(*next, 6, 3, 1)));
  EXPECT_EQ(Content("hits.abc.0.6.json"), "{\"n\":3}\n");
}

#ifdef WATERSHED_INJECTION_POINTS
TEST_F(FilesystemSinkTest, WithoutTheFenceItWould) {
  const auto zombie = Start(1);
  planted_bug = PlantedBug::kNoFencing;
  const auto next = Start(2);
  planted_bug = PlantedBug::kNone;
  EXPECT_TRUE(zombie->Commit({6}, Prepare(*zombie, 6, 2, 1)));
  EXPECT_THAT(Visible(), ElementsAre("hits.abc.0.6.json"));
}

TEST_F(FilesystemSinkTest, WithoutTheMarkerAMovedFileWouldComeAgain) {
  const auto sink = Start(1);
  const auto segments = Prepare(*sink, 5, 1, 1);
  ASSERT_TRUE(sink->Commit({5}, segments));
  fs::remove(PathOf("hits.abc.0.5.json"));
  planted_bug = PlantedBug::kSegmentCommittedTwice;
  EXPECT_TRUE(sink->Commit({5}, segments));
  planted_bug = PlantedBug::kNone;
  EXPECT_THAT(Visible(), ElementsAre("hits.abc.0.5.json"));
}
#endif

TEST_F(FilesystemSinkTest, ANewerAttemptOrAnotherJobKeepsTheWriter) {
  const auto newer = Start(3);
  const auto older = Make();
  auto fenced = Fence(*older, 2);
  ASSERT_FALSE(fenced);
  EXPECT_THAT(fenced.error().message, HasSubstr("over from attempt 2"));
  // As if on another cluster.
  ConnectorContext context;
  context.job = {"b"};
  context.operator_id = "hits";
  v1::Format format;
  format.set_name("json");
  const auto other =
      MakeFilesystemSink({{"path", path()}}, *MakeEncoder(format, OneColumn()), context);
  fenced = Fence(**other, 3);
  ASSERT_FALSE(fenced);
  EXPECT_THAT(fenced.error().message, HasSubstr("job a has taken writer 0"));
  EXPECT_TRUE(newer->Commit({5}, Prepare(*newer, 5, 1, 1)));
}

TEST_F(FilesystemSinkTest, OtherContentUnderTheNameIsAnErrorAndStays) {
  const auto sink = Start(1);
  std::ofstream(PathOf("hits.abc.0.5.json")) << "mine";
  const auto segments = Prepare(*sink, 5, 1, 1);
  const Status status = sink->Commit({5}, segments);
  ASSERT_FALSE(status);
  EXPECT_FALSE(status.error().retryable);
  EXPECT_THAT(status.error().message, HasSubstr("hits.abc.0.5.json is there with other content"));
  EXPECT_EQ(Content("hits.abc.0.5.json"), "mine");
  fs::remove(PathOf("hits.abc.0.5.json"));
  const auto next = Start(2);
  EXPECT_EQ(Content("hits.abc.0.5.json"), "{\"n\":1}\n");
}

TEST_F(FilesystemSinkTest, AtLeastOncePublishesUnderANameOfTheAttempt) {
  for (const int32_t attempt : {1, 2}) {
    const auto sink = Start(attempt, {{"delivery", "at-least-once"}});
    EXPECT_TRUE(sink->writes_at_once());
    EXPECT_FALSE(sink->keeps_markers());
    ASSERT_TRUE(sink->Commit({1}, Prepare(*sink, 1, 1, 1)));
  }
  EXPECT_THAT(Visible(), ElementsAre("hits.abc.0.1-1.json", "hits.abc.0.2-1.json"));
}

TEST_F(FilesystemSinkTest, AtLeastOnceFirstPublishesWhatExactlyOnceHasLeft) {
  const auto former = Start(1);
  const auto left = Prepare(*former, 5, 1, 1);
  const auto sink = Start(2, {{"delivery", "at-least-once"}});
  ASSERT_TRUE(sink->Recover(left));
  EXPECT_THAT(Visible(), ElementsAre("hits.abc.0.5.json"));
}

TEST_F(FilesystemSinkTest, SaysWhyADirectoryCannotBeUsed) {
  std::ofstream(directory_.path() + "/file") << "x";
  const std::string file = directory_.path() + "/file";
  const Status status = Make({{"path", file}})->Open();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr(file));
}

TEST_F(FilesystemSinkTest, AHiddenDirectoryThatSomebodyRemovedIsNoFence) {
  const auto sink = Start(1);
  for (const auto& entry : fs::directory_iterator(path())) fs::remove_all(entry.path());
  const Status status = sink->Commit({5}, Prepare(*sink, 5, 1, 1));
  ASSERT_FALSE(status);
  EXPECT_FALSE(status.error().retryable);
  EXPECT_THAT(status.error().message, HasSubstr("somebody has removed " + path() + "/.watershed."));
}

}  // namespace
}  // namespace watershed
