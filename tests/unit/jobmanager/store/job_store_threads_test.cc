// The store over real threads and real files.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <memory>

#include "jobmanager/store/job_store.h"
#include "runtime/process/event_loop.h"
#include "runtime/process/worker_pool.h"
#include "tests/unit/jobmanager/store/entries.h"
#include "tests/unit/storage/temporary_folder.h"

namespace watershed {
namespace {

constexpr int kEntries = 60;

TEST(JobStoreThreads, EntriesAreStoredInOrderAndToldInTheLoop) {
  const TemporaryFolder folder;
  const auto storage = OpenStorage(folder.path().string(), StorageAccess::kOwnerOnly).value();
  for (int round = 0; round < 3; ++round) {
    EventLoop loop("jobmanager");
    WorkerPool io("io", 3);
    const auto store = MakeLogJobStore(storage, &io, &loop, &SystemClock(),
                                       {.writer_id = uint64_t(round) + 1, .snapshot_every = 7});
    const auto state = store->BecomeLeader({});
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(state->leader_epoch(), round + 1);
    EXPECT_EQ(state->jobs_size(), round * kEntries);
    int told = 0;
    std::promise<void> all_told;
    EXPECT_TRUE(loop.RunAndWait([&] {
      for (int i = 0; i < kEntries; ++i) {
        store->Append(Submission(fmt::format("{}-{}", round, i)), [&, i](const Status& status) {
          EXPECT_TRUE(status);
          EXPECT_TRUE(loop.InLoop());
          EXPECT_EQ(told++, i);
          if (told == kEntries) all_told.set_value();
        });
      }
    }));
    all_told.get_future().wait();
    io.Stop();
    loop.Stop();
  }
  EXPECT_LE(storage->List("log/")->size(), 8U);
}

}  // namespace
}  // namespace watershed
