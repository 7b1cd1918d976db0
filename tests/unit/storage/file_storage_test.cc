// What only files have: what a power failure leaves, errors of the system, left-over temporaries.
#include "runtime/storage/file_storage.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "runtime/storage/file_error.h"
#include "tests/support/synced_disk.h"
#include "tests/unit/storage/temporary_folder.h"

namespace watershed {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FileStorageTest : public testing::Test {
 protected:
  std::shared_ptr<ObjectStorage> Open(FileStorageOptions options = {}) {
    return OpenFileStorage(root_.string(), std::move(options)).value();
  }
  FileStorageOptions OnDisk(SyncedDisk* disk) {
    FileStorageOptions options;
    options.sync = [disk](int fd) { return disk->Sync(fd); };
    return options;
  }
  std::vector<std::string> FilesBelow(const fs::path& path) const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path().filename());
    }
    return files;
  }

  TemporaryFolder folder_;
  const fs::path root_ = folder_.path() / "storage";
};

TEST_F(FileStorageTest, WhatWasCommittedSurvivesAPowerFailure) {
  SyncedDisk disk;
  const auto storage = Open(OnDisk(&disk));
  ASSERT_EQ(storage->PutIfAbsent("a/b/c", "content"), true);
  EXPECT_EQ(disk.Get(root_, "a/b/c"), "content");
  EXPECT_EQ(disk.Get(folder_.path(), "storage/a/b/c"), "content");  // and the root itself
  ASSERT_EQ(storage->PutIfAbsent("a/b/d", "more"), true);
  EXPECT_EQ(disk.Get(root_, "a/b/d"), "more");
  ASSERT_TRUE(storage->Delete("a/b/c"));
  EXPECT_EQ(disk.Get(root_, "a/b/c"), std::nullopt);
  EXPECT_EQ(disk.Get(root_, "a/b/d"), "more");
  ASSERT_TRUE(storage->Delete("a/b/d"));
  EXPECT_EQ(disk.Get(root_, "a"), std::nullopt);  // folders go with their last object
  EXPECT_FALSE(fs::exists(root_ / "a"));
}

TEST_F(FileStorageTest, ANameThatIsFoundTakenStandsForSomethingDurable) {
  // The one that took it died before it synced the directories, which it had made.
  ASSERT_EQ(Open()->PutIfAbsent("a/b/c", "content"), true);
  SyncedDisk disk;
  FileStorageOptions options = OnDisk(&disk);
  const auto storage = Open(options);
  ASSERT_EQ(storage->PutIfAbsent("a/b/c", "other"), false);
  ASSERT_TRUE(disk.Get(root_, "a/b/c").has_value());
  // And a new object in such a directory.
  ASSERT_EQ(storage->PutIfAbsent("a/b/d", "new"), true);
  EXPECT_EQ(disk.Get(root_, "a/b/d"), "new");
}

TEST_F(FileStorageTest, ContentIsDurableBeforeItHasAName) {
  bool checked = false;
  FileStorageOptions options;
  options.sync = [&](int fd) {
    struct stat info;
    EXPECT_EQ(::fstat(fd, &info), 0);
    if (S_ISREG(info.st_mode)) {
      EXPECT_EQ(info.st_size, 7);
      EXPECT_FALSE(fs::exists(root_ / "x"));
      checked = true;
    }
    return 0;
  };
  ASSERT_EQ(Open(options)->PutIfAbsent("x", "content"), true);
  EXPECT_TRUE(checked);
}

TEST_F(FileStorageTest, AFailedSyncIsAnErrorAndLeavesNothingHalf) {
  const auto storage = Open();
  bool fail_files = true, fail_directories = false;
  FileStorageOptions options;
  options.sync = [&](int fd) {
    struct stat info;
    EXPECT_EQ(::fstat(fd, &info), 0);
    if (S_ISDIR(info.st_mode) ? fail_directories : fail_files) {
      errno = EIO;
      return -1;
    }
    return ::fsync(fd);
  };
  const auto failing = Open(options);
  const auto put = failing->PutIfAbsent("x", "content");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().domain, ErrorDomain::kExternal);
  EXPECT_TRUE(put.error().retryable);
  EXPECT_THAT(put.error().message, HasSubstr((root_ / "x").string()));
  EXPECT_EQ(storage->Get("x"), std::nullopt);
  EXPECT_TRUE(FilesBelow(root_).empty());
  // The name is there but nobody knows for how long: an error; the next who asks makes sure.
  fail_files = false, fail_directories = true;
  EXPECT_FALSE(failing->PutIfAbsent("y", "content"));
  EXPECT_FALSE(failing->PutIfAbsent("y", "content"));
  EXPECT_FALSE(failing->Delete("y"));
  fail_directories = false;
  ASSERT_EQ(failing->PutIfAbsent("y", "content"), true);
}

TEST_F(FileStorageTest, AFullDiskIsAnErrorThatSaysWhatToDoAndHeals) {
  int64_t space = 9 + 10;  // the check at the start writes 9 bytes
  FileStorageOptions options;
  options.write = [&](int fd, const void* bytes, size_t size) -> ssize_t {
    if (space == 0) {
      errno = ENOSPC;
      return -1;
    }
    // Also a write that takes only a part.
    const ssize_t written = ::write(fd, bytes, std::min<size_t>(size, static_cast<size_t>(space)));
    space -= written;
    return written;
  };
  const auto storage = Open(options);
  auto writer = storage->Create("x").value();
  ASSERT_TRUE(writer->Append("12345"));
  const Status full = writer->Append("67890abc");
  ASSERT_FALSE(full);
  EXPECT_TRUE(full.error().retryable);
  EXPECT_THAT(full.error().message, HasSubstr("No space left on device"));
  EXPECT_THAT(full.error().message, HasSubstr("free space there"));
  EXPECT_THAT(full.error().message, HasSubstr((root_ / "x").string()));
  EXPECT_FALSE(writer->Commit());  // half of it is never named
  writer.reset();
  EXPECT_TRUE(FilesBelow(root_).empty());
  space = 100;
  EXPECT_EQ(storage->PutIfAbsent("x", "1234567890abc"), true);
  EXPECT_EQ(storage->Get("x"), "1234567890abc");
}

TEST_F(FileStorageTest, ErrorsOfTheSystemSayWhetherTryingAgainHelps) {
  for (const int number : {EACCES, EPERM, EROFS, EISDIR, ENOTDIR}) {
    const Error error = FileError(number, "write", "/mnt/x").value();
    EXPECT_EQ(error.domain, ErrorDomain::kExternal);
    EXPECT_FALSE(error.retryable) << error.message;
    EXPECT_THAT(error.message, HasSubstr("cannot write '/mnt/x': "));
  }
  for (const int number : {ENOSPC, EDQUOT, EIO, EMFILE, ESTALE, ETIMEDOUT}) {
    EXPECT_TRUE(FileError(number, "write", "/mnt/x").value().retryable) << number;
  }
  EXPECT_THAT(FileError(EROFS, "write", "/mnt/x").value().message, HasSubstr("remount"));
  EXPECT_THAT(FileError(EACCES, "write", "/mnt/x").value().message, HasSubstr("user id"));
}

TEST_F(FileStorageTest, ANameThatIsADirectoryIsAnErrorAndStays) {
  const auto storage = Open();
  ASSERT_EQ(storage->PutIfAbsent("a/b", "1"), true);
  for (const Error& error :
       {storage->PutIfAbsent("a", "2").error(), storage->Get("a").error(),
        storage->Delete("a").error(), storage->PutIfAbsent("a/b/c", "2").error()}) {
    EXPECT_EQ(error.domain, ErrorDomain::kExternal);
    EXPECT_FALSE(error.retryable) << error.message;
    EXPECT_THAT(error.message, HasSubstr((root_ / "a").string()));
  }
  EXPECT_EQ(storage->Get("a/b"), "1");
}

TEST_F(FileStorageTest, TemporariesOfDeadWritersAreNotListedAndGoWhenOld) {
  FileStorageOptions options;
  const auto storage = Open(options);
  ASSERT_EQ(storage->PutIfAbsent("a/x", "1"), true);
  const auto make = [&](const std::string& name, int64_t age_s) {
    const fs::path path = root_ / "a" / name;
    std::ofstream(path) << "half";
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::seconds(age_s));
    return path;
  };
  const fs::path young = make("y~12-0", 3000), old = make("y~12-1", 4000);
  const fs::path locked = make("y~12-2", 4000), foreign = make("with space", 4000);
  const int holder = ::open(locked.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(holder, LOCK_EX), 0);
  const auto listed = storage->List("").value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].name, "a/x");
  EXPECT_TRUE(fs::exists(young));
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(locked));  // its writer lives
  EXPECT_TRUE(fs::exists(foreign));
  ::close(holder);
  ASSERT_TRUE(storage->List(""));
  EXPECT_FALSE(fs::exists(locked));
}

TEST_F(FileStorageTest, ALiveWriterHoldsItsTemporary) {
  FileStorageOptions options;
  options.temporary_age_max = std::chrono::seconds(0);
  const auto storage = Open(options);
  auto writer = storage->Create("x").value();
  ASSERT_TRUE(writer->Append("content"));
  ASSERT_TRUE(storage->List(""));  // at any age, since it is locked
  EXPECT_EQ(writer->Commit(), true);
  EXPECT_EQ(storage->Get("x"), "content");
  EXPECT_THAT(FilesBelow(root_), testing::ElementsAre("x"));
}

TEST_F(FileStorageTest, FoldersMayVanishUnderAWriter) {
  FileStorageOptions options;
  options.sync = [](int) { return 0; };  // many tries in a short time
  const auto storage = Open(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const std::string name = fmt::format("deep/er/{}", t);
        const auto put = storage->PutIfAbsent(name, "x");
        EXPECT_EQ(put, true) << (put ? "" : put.error().message);
        EXPECT_TRUE(storage->Delete(name));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(FileStorageTest, OwnerOnlyKeepsOthersOut) {
  FileStorageOptions options;
  options.owner_only = true;
  ASSERT_EQ(Open(options)->PutIfAbsent("log/1", "secret"), true);
  EXPECT_EQ(fs::status(root_).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(root_ / "log").permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(root_ / "log/1").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(FileStorageTest, OpensWhatAUriNames) {
  const std::string path = root_.string();
  for (const std::string& uri :
       {path, "file://" + path, "file:" + path, path + "/", path + "/x/.."}) {
    const auto storage = OpenStorage(uri);
    ASSERT_TRUE(storage) << uri << ": " << storage.error().message;
    EXPECT_EQ((*storage)->uri(), "file://" + path);
    EXPECT_TRUE(FilesBelow(root_).empty());  // the check leaves nothing
  }
  EXPECT_EQ(JoinUri("file:///a/", "b/c"), "file:///a/b/c");
}

TEST_F(FileStorageTest, WhatMustExistIsNotMadeAndSaysFromWhereOnItIsMissing) {
  const std::string missing = (folder_.path() / "saveponts" / "x").string();
  const auto storage = OpenStorage("file://" + missing, StorageAccess::kExisting);
  ASSERT_FALSE(storage);
  EXPECT_EQ(storage.error().domain, ErrorDomain::kUser);
  EXPECT_EQ(storage.error().message, "there is no directory " + missing + ": " +
                                         folder_.path().string() + " has no 'saveponts'");
  EXPECT_FALSE(fs::exists(folder_.path() / "saveponts"));
  fs::create_directory(folder_.path() / "read-only");
  EXPECT_TRUE(OpenStorage((folder_.path() / "read-only").string(), StorageAccess::kExisting));
  EXPECT_TRUE(fs::is_empty(folder_.path() / "read-only"));
}

TEST_F(FileStorageTest, OtherSchemesAndWrongDirectoriesAreRefusedByName) {
  for (const std::string uri : {"s3://bucket/x", "hdfs://host/x", "relative/x", "file://host/x", "",
                                "file://", "/", "file:///"}) {
    const auto storage = OpenStorage(uri);
    ASSERT_FALSE(storage) << uri;
    EXPECT_EQ(storage.error().domain, ErrorDomain::kUser) << uri;
    EXPECT_THAT(storage.error().message, testing::StartsWith("'"));
  }
  EXPECT_THAT(OpenStorage("s3://bucket/x").error().message, HasSubstr("'s3'"));
  std::ofstream(folder_.path() / "file") << "x";
  for (const char* below : {"file", "file/x"}) {
    const auto storage = OpenStorage((folder_.path() / below).string());
    ASSERT_FALSE(storage);
    EXPECT_EQ(storage.error().domain, ErrorDomain::kExternal);
    EXPECT_THAT(storage.error().message, HasSubstr((folder_.path() / "file").string()));
  }
}

}  // namespace
}  // namespace watershed
