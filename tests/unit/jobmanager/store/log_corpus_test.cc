// The logs that JobManagers of former versions left (tests/corpus) add up to the jobs that they
// had.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "jobmanager/store/numbered_log.h"
#include "jobmanager/store/stored_state.h"
#include "runtime/storage/file_storage.h"

namespace watershed {
namespace {

namespace fs = std::filesystem;
// Id, whether it has ended, and its newest checkpoint (-1: not told).
using Job = std::tuple<std::string, bool, int64_t>;

std::set<Job> ExpectedJobs(const fs::path& version) {
  std::set<Job> jobs;
  std::ifstream lines(version / "jobs.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const auto job = nlohmann::json::parse(line);
    const bool runs = job["state"] == "RUNNING";
    jobs.emplace(job["job-id"], !runs, runs ? job["checkpoint"].get<int64_t>() : -1);
  }
  return jobs;
}

std::set<Job> StoredJobs(const v1::StoredState& state) {
  std::set<Job> jobs;
  for (const v1::StoredJob& job : state.jobs()) {
    const bool ended = job.has_end();
    jobs.emplace(
        job.submission().job_id(), ended,
        ended || job.checkpoints().empty() ? -1 : job.checkpoints().rbegin()->checkpoint_id());
  }
  return jobs;
}

// Adds it all up and collects the kinds of its entries.
void ReadLog(const fs::path& version, v1::StoredState& state, std::set<int>& kinds) {
  const auto storage = OpenFileStorage((version / "store").string(), {.must_exist = true});
  ASSERT_TRUE(storage) << storage.error().message;
  NumberedLog log(*storage, /*writer_id=*/1);
  const auto entries = log.Read();
  ASSERT_TRUE(entries) << entries.error().message;
  for (const NumberedLog::Entry& stored : *entries) {
    v1::LogEntry entry;
    ASSERT_TRUE(entry.ParseFromString(stored.payload)) << log.UriOf(stored.number);
    const Status applied = Apply(state, entry);
    ASSERT_TRUE(applied) << log.UriOf(stored.number) << ": " << applied.error().message;
    kinds.insert(entry.kind_case());
  }
}

TEST(LogCorpusTest, EveryLogAddsUpToItsJobs) {
  int versions = 0;
  for (const auto& version : fs::directory_iterator(JOB_MANAGERS)) {
    SCOPED_TRACE(version.path().string());
    ++versions;
    v1::StoredState state;
    std::set<int> kinds;
    ReadLog(version.path(), state, kinds);
    EXPECT_EQ(StoredJobs(state), ExpectedJobs(version.path()));
    using Entry = v1::LogEntry;
    EXPECT_THAT(kinds,
                testing::IsSupersetOf({Entry::kSnapshot, Entry::kSubmission, Entry::kSplits,
                                       Entry::kAttempt, Entry::kCheckpoint, Entry::kJobEnd,
                                       Entry::kStop, Entry::kCancel, Entry::kTasksFinished}));
  }
  EXPECT_GT(versions, 0);
}

}  // namespace
}  // namespace watershed
