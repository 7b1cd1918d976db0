#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/process/ports_file.h"
#include "runtime/process/temporary_directory.h"

namespace watershed {
namespace {

namespace fs = std::filesystem;

class ProcessFilesTest : public testing::Test {
 protected:
  ProcessFilesTest()
      : root_(fs::path(testing::TempDir()) /
              ("process_files_" + std::to_string(::getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::create_directories(root_);
  }
  ~ProcessFilesTest() override { fs::remove_all(root_); }
  const fs::path root_;
};

TEST_F(ProcessFilesTest, PortsAreWrittenAsJsonAndNothingElseIsLeft) {
  const fs::path file = root_ / "ports.json";
  ASSERT_TRUE(WritePortsFile(file.string(), {{"rpc", 6123}, {"rest", 8081}}));
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  EXPECT_EQ(text.str(), "{\"rest\": 8081, \"rpc\": 6123}\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), fs::directory_iterator()), 1);
  EXPECT_TRUE(WritePortsFile("", {}));
  const Status failed = WritePortsFile((root_ / "no" / "such").string(), {});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, testing::HasSubstr("no/such"));
}

TEST_F(ProcessFilesTest, ATemporaryDirectoryLivesAsLongAsItsOwner) {
  std::string path;
  {
    const auto mine = TemporaryDirectory::Make(root_.string(), "a").value();
    path = mine->path();
    std::ofstream(fs::path(path) / "state.sst") << "x";
    const auto taken = TemporaryDirectory::Make(root_.string(), "a");
    ASSERT_FALSE(taken);
    EXPECT_THAT(taken.error().message,
                testing::HasSubstr("another TaskManager on this machine is called 'a'"));
    const auto other = TemporaryDirectory::Make(root_.string(), "b").value();
    EXPECT_TRUE(fs::exists(fs::path(path) / "state.sst"));  // a live neighbour is left alone
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(ProcessFilesTest, WhatAKilledProcessLeftIsSweptUp) {
  const fs::path left = root_ / "watershed-killed";
  fs::create_directories(left / "job-1");
  std::ofstream(left / "owner.lock") << "";
  std::ofstream(left / "job-1" / "000012.sst") << "x";
  const fs::path stranger = root_ / "watershed-notes";  // like ours by name only
  fs::create_directories(stranger);
  const fs::path unrelated = root_ / "data";
  fs::create_directories(unrelated);
  const auto mine = TemporaryDirectory::Make(root_.string(), "a").value();
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(stranger));
  EXPECT_TRUE(fs::exists(unrelated));
}

TEST_F(ProcessFilesTest, AParentThatCannotBeMadeIsNamed) {
  std::ofstream(root_ / "file") << "x";
  const auto made = TemporaryDirectory::Make((root_ / "file" / "below").string(), "a");
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, testing::StartsWith("io.tmp.dirs: "));
}

}  // namespace
}  // namespace watershed
