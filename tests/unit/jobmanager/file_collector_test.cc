#include "jobmanager/checkpoint/file_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/logging/log.h"
#include "runtime/storage/content_hash.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/stepped_work_runner.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;
using Kind = StorageCall::Kind;

// ---- The rules ----

TEST(FileCollection, OfSubsumedFilesGoesWhatNobodyElseNames) {
  EXPECT_THAT(SubsumedFiles({"a", "b", "c", "d"}, {"b", "x"}, {"d", "y"}), ElementsAre("a", "c"));
  EXPECT_THAT(SubsumedFiles({}, {"b"}, {}), ElementsAre());
}

TEST(FileCollection, OrphansAreOfAttemptsBeforeTheCurrentOneAndUnnamed) {
  const std::vector<ObjectInfo> objects{
      {"chk-3-1/_metadata"}, {"chk-4-1/_metadata"}, {"chk-5-2/_metadata"},
      {"shared/1-v-0-u-0"},  {"shared/1-v-0-u-1"},  {"shared/2-v-0-u-0"},
      {"shared/3-v-0-u-0"},  {"notes.txt"},         {"shared/notes"}};
  const FileNames retained{"chk-4-1/_metadata", "shared/1-v-0-u-1"};
  EXPECT_THAT(OrphanedFiles(objects, retained, Attempt{2}),
              ElementsAre("chk-3-1/_metadata", "shared/1-v-0-u-0"));
  EXPECT_THAT(OrphanedFiles(objects, retained, Attempt{3}),
              ElementsAre("chk-3-1/_metadata", "chk-5-2/_metadata", "shared/1-v-0-u-0",
                          "shared/2-v-0-u-0"));
  EXPECT_THAT(OrphanedFiles(objects, retained, Attempt{1}), ElementsAre());
}

TEST(FileCollection, FilesOfStateAndOfSegmentsAreNamed) {
  v1::CheckpointManifest manifest;
  v1::SubtaskSnapshot* part = manifest.add_subtasks();
  part->add_operators()->mutable_keyed_state()->add_files()->set_name("state");
  v1::SinkSnapshot* sink = part->add_sinks();
  sink->add_unconfirmed()->mutable_file()->set_name("segment");
  sink->add_unconfirmed()->set_payload("in the manifest");
  EXPECT_THAT(FilesOf(manifest), UnorderedElementsAre("segment", "state"));
}

// ---- Doing it ----

class FileCollectorTest : public testing::Test {
 protected:
  // Puts a manifest that names these files, and those of them that are not there yet.
  v1::CheckpointRef Checkpoint(int64_t id, const std::vector<std::string>& files) {
    v1::CheckpointManifest manifest;
    manifest.set_format_version(kManifestVersion);
    manifest.set_key_encoding_version(1);
    manifest.set_checkpoint_id(id);
    auto* state = manifest.add_subtasks()->add_operators()->mutable_keyed_state();
    for (const std::string& file : files) {
      EXPECT_TRUE(storage_->PutIfAbsent(file, "x"));
      state->add_files()->set_name(file);
    }
    const std::string name = ManifestName(CheckpointId{id}, Attempt{1});
    const std::string bytes = EncodeManifest(manifest);
    EXPECT_EQ(storage_->PutIfAbsent(name, bytes), true);
    v1::CheckpointRef ref;
    ref.set_checkpoint_id(id);
    ToProto({name, static_cast<int64_t>(bytes.size()), ContentHash::Of(bytes)},
            ref.mutable_manifest());
    return ref;
  }
  static std::string File(int n, int attempt = 1) {
    return fmt::format("shared/{}-v-0-u-{}", attempt, n);
  }
  static std::string Manifest(int id) { return ManifestName(CheckpointId{id}, Attempt{1}); }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : storage_->objects()) names.push_back(name);
    return names;
  }
  void FailOn(std::function<bool(const StorageCall&)> which) {
    storage_->SetFaults([which = std::move(which)](const StorageCall& call) {
      return which(call) ? StorageFault::kFail : StorageFault::kNone;
    });
  }

  const std::shared_ptr<FaultyStorage> storage_ = std::make_shared<FaultyStorage>(&SystemClock());
  SteppedWorkRunner io_;
  FileCollector collector_{[this]() -> Result<std::shared_ptr<ObjectStorage>> { return storage_; },
                           &io_};
};

TEST_F(FileCollectorTest, WhatOnlySubsumedCheckpointsNameGoes) {
  const auto first = Checkpoint(1, {File(0), File(1), File(3)});
  const auto second = Checkpoint(2, {File(1), File(2)});
  ASSERT_EQ(storage_->PutIfAbsent(File(9), "on its way"), true);
  collector_.OnSubsumed({first}, {second}, {File(3)});
  EXPECT_EQ(Names().size(), 7U);  // nothing blocks where it is asked for
  io_.RunAll();
  EXPECT_THAT(Names(), UnorderedElementsAre(Manifest(2), File(1), File(2), File(3), File(9)));
}

TEST_F(FileCollectorTest, ManifestsAreReadOnceAndGoBeforeTheirFiles) {
  std::vector<v1::CheckpointRef> refs;
  for (int i = 1; i <= 6; ++i) refs.push_back(Checkpoint(i, {File(i), File(i + 1)}));
  int64_t reads = 0;
  std::vector<std::string> deleted;
  storage_->SetFaults([&](const StorageCall& call) {
    reads += call.kind == Kind::kGet;
    if (call.kind == Kind::kDelete) deleted.push_back(call.name);
    return StorageFault::kNone;
  });
  for (size_t i = 3; i < refs.size(); ++i) {
    collector_.OnSubsumed({refs[i - 3]}, {refs[i - 2], refs[i - 1], refs[i]}, {});
    io_.RunAll();
  }
  EXPECT_EQ(reads, 6);
  EXPECT_THAT(deleted,
              ElementsAre(Manifest(1), File(1), Manifest(2), File(2), Manifest(3), File(3)));
}

TEST_F(FileCollectorTest, WhileARetainedManifestCannotBeReadNothingGoes) {
  const auto first = Checkpoint(1, {File(1)}), second = Checkpoint(2, {File(2)});
  const auto third = Checkpoint(3, {File(3)});
  ASSERT_EQ(storage_->PutIfAbsent(File(7, 0), "orphan"), true);
  const auto all = Names();
  ASSERT_TRUE(storage_->Flip(Manifest(2), 30));
  collector_.OnSubsumed({first}, {second}, {});
  collector_.OnAttempt(Attempt{1}, {second});
  io_.RunAll();
  EXPECT_EQ(Names(), all);
  // Once it is retained no longer the others' go; its own are for a later attempt to find.
  collector_.OnSubsumed({second}, {third}, {});
  io_.RunAll();
  EXPECT_THAT(Names(), UnorderedElementsAre(Manifest(3), File(2), File(3), File(7, 0)));
  collector_.OnAttempt(Attempt{2}, {third});
  io_.RunAll();
  EXPECT_THAT(Names(), UnorderedElementsAre(Manifest(3), File(3)));
}

TEST_F(FileCollectorTest, WhatCouldNotBeReadOrOpenedIsTriedAgain) {
  const auto first = Checkpoint(1, {File(1)}), second = Checkpoint(2, {File(2)});
  FailOn([](const StorageCall& call) { return call.name == Manifest(1); });
  collector_.OnSubsumed({first}, {second}, {});
  io_.RunAll();
  EXPECT_EQ(Names().size(), 4U);
  storage_->SetFaults(nullptr);
  collector_.OnSubsumed({}, {second}, {});
  io_.RunAll();
  EXPECT_THAT(Names(), UnorderedElementsAre(Manifest(2), File(2)));
}

TEST_F(FileCollectorTest, OrphansOfEarlierAttemptsGoWithTheNext) {
  const auto retained = Checkpoint(5, {File(1), File(2, 2)});
  for (const std::string& name :
       {File(3), File(4, 2), File(5, 3), ManifestName(CheckpointId{6}, Attempt{2}),
        ManifestName(CheckpointId{7}, Attempt{3}), std::string("other")}) {
    ASSERT_EQ(storage_->PutIfAbsent(name, "x"), true);
  }
  collector_.OnAttempt(Attempt{3}, {retained});
  io_.RunAll();
  EXPECT_THAT(Names(), UnorderedElementsAre(Manifest(5), File(1), File(2, 2), File(5, 3),
                                            ManifestName(CheckpointId{7}, Attempt{3}), "other"));
}

TEST_F(FileCollectorTest, ADeletionThatFailsDoesNotStopTheOthers) {
  const auto first = Checkpoint(1, {File(1), File(2), File(3)}), second = Checkpoint(2, {});
  FailOn(
      [](const StorageCall& call) { return call.name == File(2) && call.kind == Kind::kDelete; });
  collector_.OnSubsumed({first}, {second}, {});
  io_.RunAll();
  EXPECT_THAT(Names(), UnorderedElementsAre(Manifest(2), File(2)));
}

TEST_F(FileCollectorTest, ManyDeletionsLeaveRoomForOtherWork) {
  std::vector<std::string> files;
  for (int i = 0; i < 1000; ++i) files.push_back(File(i));
  const auto first = Checkpoint(1, files), second = Checkpoint(2, {});
  collector_.OnSubsumed({first}, {second}, {});
  EXPECT_GT(io_.RunAll(), 20U);
  EXPECT_THAT(Names(), ElementsAre(Manifest(2)));
}

TEST_F(FileCollectorTest, DestroyedItBeginsNothingNew) {
  const auto first = Checkpoint(1, {File(1)}), second = Checkpoint(2, {});
  {
    FileCollector collector([this]() -> Result<std::shared_ptr<ObjectStorage>> { return storage_; },
                            &io_);
    collector.OnSubsumed({first}, {second}, {});
  }
  io_.RunAll();
  EXPECT_EQ(Names().size(), 3U);
}

// Random histories of a job: chains of files grow, begin anew, checkpoints are aborted, attempts
// begin again from a retained one, storage fails now and then.
class History {
 public:
  explicit History(uint64_t seed) : random_(seed) {
    storage_->SetFaults([this](const StorageCall& call) {
      CheckRetained();
      const bool may_fail = call.kind == Kind::kDelete || call.kind == Kind::kGet;
      return may_fail && random_() % 20 == 0 ? StorageFault::kFail : StorageFault::kNone;
    });
  }

  void Run() {
    for (int i = 0; i < 150 && !testing::Test::HasFailure(); ++i) Step();
    storage_->SetFaults(nullptr);
    collector_->OnAttempt(Attempt{attempt_ + 1}, Refs());
    io_.RunAll();
    CheckRetained();
    size_t needed = retained_.size();
    FileNames files;
    for (const auto& [ref, names] : retained_) files.insert(names.begin(), names.end());
    EXPECT_EQ(storage_->objects().size(), needed + files.size());  // and nothing else
  }

 private:
  void Step() {
    const uint64_t what = random_() % 100;
    if (what < 5) {
      Restart();
    } else if (what < 45) {
      Checkpoint();
    } else {
      io_.Step();
    }
  }

  void Restart() {
    ++attempt_;
    chain_.clear();
    // Mostly the newest; an older one when that is damaged.
    if (!retained_.empty()) {
      chain_ = retained_[random_() % 4 == 0 ? random_() % retained_.size() : retained_.size() - 1]
                   .second;
    }
    if (random_() % 2 == 0) collector_ = MakeCollector();  // the JobManager too
    collector_->OnAttempt(Attempt{attempt_}, Refs());
  }

  void Checkpoint() {
    if (random_() % 4 == 0) chain_.clear();  // holds everything again
    const std::string file = fmt::format("shared/{}-v-0-u-{}", attempt_, ++last_file_);
    Put(file, "x");
    chain_.insert(file);
    ++last_id_;
    if (random_() % 4 == 0) return;  // aborted; the next builds on it
    v1::CheckpointManifest manifest;
    manifest.set_format_version(kManifestVersion);
    manifest.set_key_encoding_version(1);
    auto* state = manifest.add_subtasks()->add_operators()->mutable_keyed_state();
    for (const std::string& name : chain_) state->add_files()->set_name(name);
    const std::string name = ManifestName(CheckpointId{last_id_}, Attempt{attempt_});
    const std::string bytes = EncodeManifest(manifest);
    Put(name, bytes);
    if (random_() % 8 == 0) return;  // the JobManager dies before the entry
    v1::CheckpointRef ref;
    ref.set_checkpoint_id(last_id_);
    ToProto({name, static_cast<int64_t>(bytes.size()), ContentHash::Of(bytes)},
            ref.mutable_manifest());
    retained_.emplace_back(ref, chain_);
    std::vector<v1::CheckpointRef> subsumed;
    while (retained_.size() > 3) {
      subsumed.push_back(retained_.front().first);
      retained_.erase(retained_.begin());
    }
    collector_->OnSubsumed(subsumed, Refs(), {});
  }

  void Put(const std::string& name, const std::string& bytes) {
    EXPECT_EQ(storage_->PutIfAbsent(name, bytes), true);
  }
  std::vector<v1::CheckpointRef> Refs() const {
    std::vector<v1::CheckpointRef> refs;
    for (const auto& [ref, files] : retained_) refs.push_back(ref);
    return refs;
  }
  void CheckRetained() const {
    const auto objects = storage_->objects();
    for (const auto& [ref, files] : retained_) {
      EXPECT_TRUE(objects.contains(ref.manifest().name())) << ref.manifest().name();
      for (const std::string& file : files) EXPECT_TRUE(objects.contains(file)) << file;
    }
  }
  std::unique_ptr<FileCollector> MakeCollector() {
    return std::make_unique<FileCollector>(
        [this]() -> Result<std::shared_ptr<ObjectStorage>> { return storage_; }, &io_);
  }

  std::mt19937_64 random_;
  const std::shared_ptr<FaultyStorage> storage_ = std::make_shared<FaultyStorage>(&SystemClock());
  SteppedWorkRunner io_;
  std::unique_ptr<FileCollector> collector_ = MakeCollector();
  int32_t attempt_ = 1;
  int64_t last_id_ = 0, last_file_ = 0;
  FileNames chain_;  // what the running task's next snapshot names
  std::vector<std::pair<v1::CheckpointRef, FileNames>> retained_;
};

TEST(FileCollectorHistory, RetainedCheckpointsAreWholeAtEveryMomentAndTheRestGoes) {
  InitializeLogging({.level = LogLevel::kError});  // failures of the storage are told as warnings
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    History(seed).Run();
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace watershed
