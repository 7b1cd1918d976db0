// Every manifest that former versions wrote (tests/corpus) and every file that it names can still
// be read, byte for byte, and together they hold what a savepoint can hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/state/snapshot_file.h"
#include "runtime/storage/file_storage.h"
#include "runtime/storage/stored_bytes.h"
#include "runtime/types/key_encoding.h"

namespace watershed {
namespace {

namespace fs = std::filesystem;

// What was seen of a version's manifests.
struct Seen {
  int manifests = 0, savepoints = 0, drained = 0;
  int rows = 0, deleted_rows = 0, timers = 0;
  int longest_chain = 0;
  int inline_segments = 0, segment_files = 0;
  int confirmed_sinks = 0, ended_tasks = 0;
  // Each makes good for the loss of the others, so a restore does not tell when one is not read.
  int subtask_watermarks = 0, split_watermarks = 0, operator_watermarks = 0;
  std::set<int> split_counts, parallelisms, max_parallelisms;
};

void ReadKeyedState(ObjectStorage& storage, const v1::CheckpointManifest& manifest,
                    const v1::KeyedStateSnapshot& state, Seen& seen) {
  const KeyGroupRange groups{state.first_key_group(), state.last_key_group()};
  seen.longest_chain = std::max(seen.longest_chain, state.files_size());
  for (const v1::FileRef& ref : state.files()) {
    SCOPED_TRACE(ref.name());
    auto file = OpenStored(storage, FromProto(ref));
    ASSERT_TRUE(file) << file.error().message;
    auto reader = SnapshotFileReader::Open(ref.name(), **file);
    ASSERT_TRUE(reader) << reader.error().message;
    const int32_t max_parallelism = reader->header().max_parallelism;
    EXPECT_EQ(max_parallelism, manifest.plan().max_parallelism());
    Result<bool> more = false;
    while ((more = reader->NextChunk()) && *more) {
      const Status visited = reader->ForEachRow(groups, [&](const SnapshotRow& row) {
        ++seen.rows;
        seen.deleted_rows += row.deleted ? 1 : 0;
        seen.timers += row.timer_ms != kNoTimer ? 1 : 0;
        // Keys are looked for where today's hash says.
        EXPECT_EQ(KeyGroupOfHash(HashKey(row.key), max_parallelism), row.group);
        return Ok();
      });
      EXPECT_TRUE(visited) << visited.error().message;
    }
    EXPECT_TRUE(more) << more.error().message;
  }
}

void ReadSink(ObjectStorage& storage, const v1::SinkSnapshot& sink, Seen& seen) {
  seen.confirmed_sinks += sink.last_confirmed_epoch() >= 0 ? 1 : 0;
  for (const v1::SegmentRef& segment : sink.unconfirmed()) {
    if (segment.rows() == 0) continue;
    ++(segment.has_file() ? seen.segment_files : seen.inline_segments);
    if (!segment.has_file()) {
      EXPECT_FALSE(segment.payload().empty());
      continue;
    }
    const auto bytes = ReadStored(storage, FromProto(segment.file()));
    EXPECT_TRUE(bytes) << bytes.error().message;
  }
}

void ReadAll(const fs::path& manifest_path, Seen& seen) {
  SCOPED_TRACE(manifest_path.string());
  const auto where = ParseRestorePath(manifest_path.string());
  ASSERT_TRUE(where) << where.error().message;
  const auto storage = OpenFileStorage(where->directory, {.must_exist = true});
  ASSERT_TRUE(storage) << storage.error().message;
  const auto manifest = ReadManifest(**storage, where->manifest);
  ASSERT_TRUE(manifest) << manifest.error().message;
  const Status files = CheckFiles(**storage, *manifest);
  EXPECT_TRUE(files) << files.error().message;
  ++seen.manifests;
  seen.savepoints += manifest->is_savepoint() ? 1 : 0;
  seen.drained += manifest->drained() ? 1 : 0;
  seen.max_parallelisms.insert(manifest->plan().max_parallelism());
  EXPECT_GT(manifest->subtasks_size(), 0);
  for (const v1::SubtaskSnapshot& part : manifest->subtasks()) {
    seen.ended_tasks += part.ended() ? 1 : 0;
    seen.subtask_watermarks += part.has_watermark_ms() ? 1 : 0;
    for (const v1::SplitSnapshot& split : part.splits()) {
      EXPECT_GT(split.next_position(), 0) << split.topic();
      EXPECT_GE(split.end_position(), split.next_position()) << split.topic();
      seen.split_watermarks += split.has_watermark_ms() ? 1 : 0;
    }
    if (part.splits_size() > 0) seen.split_counts.insert(part.splits_size());
    seen.parallelisms.insert(part.subtask() + 1);
    for (const v1::OperatorSnapshot& op : part.operators()) {
      seen.operator_watermarks += op.sections().contains("watermark") ? 1 : 0;
      ReadKeyedState(**storage, *manifest, op.keyed_state(), seen);
    }
    for (const v1::SinkSnapshot& sink : part.sinks()) ReadSink(**storage, sink, seen);
  }
}

TEST(SavepointCorpusTest, EveryManifestAndFileIsReadAndAllKindsAreThere) {
  std::map<std::string, Seen> versions;
  for (const auto& file : fs::recursive_directory_iterator(SAVEPOINTS)) {
    if (file.path().filename() != SavepointManifestName()) continue;
    const fs::path below = fs::relative(file.path(), SAVEPOINTS);
    ReadAll(file.path(), versions[below.begin()->string()]);
  }
  ASSERT_FALSE(versions.empty());
  for (const auto& [version, seen] : versions) {
    SCOPED_TRACE(version);
    EXPECT_GE(seen.manifests, 6);
    EXPECT_LT(seen.savepoints, seen.manifests);  // a retained checkpoint
    EXPECT_GT(seen.drained, 0);
    EXPECT_GT(seen.rows, 100);
    EXPECT_GT(seen.deleted_rows, 0);
    EXPECT_GT(seen.timers, 0);
    EXPECT_GE(seen.longest_chain, 2);
    EXPECT_GT(seen.inline_segments, 0);
    EXPECT_GT(seen.segment_files, 0);
    EXPECT_GT(seen.confirmed_sinks, 0);
    EXPECT_GT(seen.ended_tasks, 0);
    EXPECT_GT(seen.subtask_watermarks, 0);
    EXPECT_GT(seen.split_watermarks, 0);
    EXPECT_GT(seen.operator_watermarks, 0);
    EXPECT_THAT(seen.split_counts, testing::IsSupersetOf({1, 2}));
    EXPECT_THAT(seen.parallelisms, testing::IsSupersetOf({1, 2, 3}));
    EXPECT_THAT(seen.max_parallelisms, testing::IsSupersetOf({12, kDefaultMaxParallelism}));
  }
}

}  // namespace
}  // namespace watershed
