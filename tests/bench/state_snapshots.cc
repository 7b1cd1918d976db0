// Keyed state of about a gigabyte, of which one per cent changes between two snapshots: how long a
// Freeze stops the task, how long a snapshot takes, what it writes; then a restore of it all.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/process/worker_pool.h"
#include "runtime/state/keyed_state.h"
#include "runtime/state/snapshot_file.h"
#include "runtime/state/state_rows.h"
#include "runtime/storage/object_storage.h"
#include "runtime/storage/stored_bytes.h"

namespace watershed {
namespace {

constexpr int64_t kKeys = 8'000'000;  // of 128 bytes in the cache
constexpr int64_t kChanged = kKeys / 100;
constexpr int kSnapshots = 20;

double NowMs() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What a task's thread does with mail, in one loop.
class Mail {
 public:
  void Post(std::function<Status()> mail) {
    const std::lock_guard lock(mutex_);
    mail_.push_back(std::move(mail));
  }
  void Run() {
    std::vector<std::function<Status()>> now;
    {
      const std::lock_guard lock(mutex_);
      now.swap(mail_);
    }
    for (const auto& mail : now) (void)mail();
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<Status()>> mail_;
};

void Change(KeyedState& state, int64_t first, int64_t stride, int64_t count, int round) {
  KeyBatch keys;
  std::vector<StateEntry*> entries;
  for (int64_t done = 0; done < count;) {
    ClearKeys(keys);
    for (; done < count && keys.size() < 1000; ++done) {
      AppendKey(fmt::format("192.168.{:08}|www.example.org", first + done * stride), keys);
    }
    (void)state.Resolve(keys, 0, keys.size(), entries);
    for (StateEntry* entry : entries) {
      state.Resize(*entry, 24);
      std::memset(entry->value().data(), round, 24);
      state.MoveTimer(*entry, 1'700'000'000'000 + round);
    }
    (void)state.EndBundle();
  }
}

struct Measured {
  double pause_ms, total_ms;
  KeyedStateFiles files;
};

Measured Take(KeyedState& state, Mail& mail) {
  Measured measured{};
  bool done = false;
  const double begin = NowMs();
  state.Freeze([&](Result<KeyedStateFiles> files) {
    if (files) measured.files = std::move(*files);
    done = true;
    return Ok();
  });
  measured.pause_ms = NowMs() - begin;
  while (!done) {
    if (!state.WriteFrozen(256 << 10)) std::this_thread::yield();
    mail.Run();
  }
  measured.total_ms = NowMs() - begin;
  return measured;
}

// What of a restore is not building entries.
Status ReadAll(ObjectStorage& storage, const KeyedStateFiles& files) {
  for (const StoredFile& file : files.files) {
    WS_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectReader> from, OpenStored(storage, file));
    WS_ASSIGN_OR_RETURN(SnapshotFileReader reader, SnapshotFileReader::Open(file.name, *from));
    for (bool more = true; more;) {
      WS_ASSIGN_OR_RETURN(more, reader.NextChunk());
      if (!more) break;
      WS_RETURN_IF_ERROR(reader.ForEachRow({0, kDefaultMaxParallelism - 1},
                                           [](const SnapshotRow&) { return Ok(); }));
    }
  }
  return Ok();
}

int Main(const std::string& directory) {
  const auto storage = OpenStorage(directory + "/snapshots");
  if (!storage) return 1;
  Mail mail;
  WorkerPool pool("io", 1);
  SnapshotTarget target{
      *storage, &pool, [&](std::function<Status()> m) { mail.Post(std::move(m)); }, "shared/bench"};
  KeyedStateFactory factory({.cache_bytes = int64_t{3} << 30});
  const auto open = [&](const std::string& name) {
    return factory.Open({.directory = directory + "/" + name,
                         .key_groups = {0, kDefaultMaxParallelism - 1},
                         .snapshots = &target});
  };
  auto state = open("one");
  Change(**state, 0, 1, kKeys, 0);
  const Measured first = Take(**state, mail);
  fmt::print("complete: pause {:.2f} ms, total {:.0f} ms, {:.0f} MB; cache {:.0f} MB\n",
             first.pause_ms, first.total_ms, static_cast<double>(first.files.written_bytes) / 1e6,
             static_cast<double>((*state)->figures().cache_bytes) / 1e6);
  std::vector<double> pauses, totals;
  Measured last{};
  double changed_bytes = 0;
  for (int round = 1; round <= kSnapshots; ++round) {
    Change(**state, round, 100, kChanged, round);
    changed_bytes = static_cast<double>(kChanged) * (24 + 8 + 32);
    last = Take(**state, mail);
    pauses.push_back(last.pause_ms);
    totals.push_back(last.total_ms);
  }
  std::sort(pauses.begin(), pauses.end());
  std::sort(totals.begin(), totals.end());
  fmt::print(
      "1 % changed: pause {:.3f} ms (most {:.3f}), total {:.1f} ms (most {:.1f}), written "
      "{:.2f} MB for {:.2f} MB of keys, values and timers\n",
      pauses[kSnapshots / 2], pauses.back(), totals[kSnapshots / 2], totals.back(),
      static_cast<double>(last.files.written_bytes) / 1e6, changed_bytes / 1e6);
  state->reset();
  auto restored = open("two");
  const double begin = NowMs();
  Status status = (*restored)->Restore({&last.files, 1}, **storage);
  const double restored_ms = NowMs() - begin;
  if (status) status = ReadAll(**storage, last.files);
  fmt::print("restore: {:.2f} s, {} keys; reading and checking alone: {:.2f} s{}\n",
             restored_ms / 1e3, (*restored)->figures().cached_keys,
             (NowMs() - begin - restored_ms) / 1e3, status ? "" : ": " + status.error().message);
  pool.Stop();
  return status ? 0 : 1;
}

}  // namespace
}  // namespace watershed

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: state_snapshots DIRECTORY\n");
    return 2;
  }
  return watershed::Main(std::filesystem::absolute(argv[1]).string());
}
