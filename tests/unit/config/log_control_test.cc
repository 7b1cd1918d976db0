// Lines kept in memory, files that rotate, and levels that change while a process runs.
#include "runtime/logging/log_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "runtime/logging/log_buffer.h"
#include "tests/support/test_directory.h"

namespace watershed {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

LogLineEntry Line(std::string message, LogFields fields = {}, LogLevel level = LogLevel::kInfo) {
  return {.time_ms = 1000, .level = level, .fields = std::move(fields), .message = message};
}

std::vector<std::string> Messages(const LogChunk& chunk) {
  std::vector<std::string> messages;
  for (const LogLineEntry& line : chunk.lines) messages.push_back(line.message);
  return messages;
}

TEST(LogBufferTest, IsReadInChunksFromAnyLineOn) {
  LogBuffer buffer(1 << 20);
  for (const char* text : {"a", "b", "c"}) buffer.Append(Line(text));
  LogChunk chunk = buffer.Read({.max_bytes = 1});
  EXPECT_THAT(Messages(chunk), ElementsAre("a"));
  EXPECT_TRUE(chunk.more);
  chunk = buffer.Read({.from = chunk.next});
  EXPECT_THAT(Messages(chunk), ElementsAre("b", "c"));
  EXPECT_FALSE(chunk.more);
  EXPECT_TRUE(buffer.Read({.from = chunk.next}).lines.empty());
  buffer.Append(Line("d"));
  EXPECT_THAT(Messages(buffer.Read({.from = chunk.next})), ElementsAre("d"));
  EXPECT_THAT(Messages(buffer.Read({.from = 1'000'000})), ElementsAre());
}

TEST(LogBufferTest, OnlyWhatMatchesIsHandedOut) {
  LogBuffer buffer(1 << 20);
  buffer.Append(Line("job 'x' submitted as j1"));
  buffer.Append(Line("one", {.job = "j1", .vertex = "Source: a", .subtask = 0}));
  buffer.Append(Line("two", {.job = "j1", .vertex = "Sink: b", .subtask = 1}, LogLevel::kWarn));
  buffer.Append(Line("other", {.job = "j2", .subtask = 1}));
  EXPECT_THAT(Messages(buffer.Read({.job = "j1"})),
              ElementsAre("job 'x' submitted as j1", "one", "two"));
  EXPECT_THAT(Messages(buffer.Read({.job = "j1", .subtask = 1})), ElementsAre("two"));
  EXPECT_THAT(Messages(buffer.Read({.vertex = "Sou"})), ElementsAre("one"));
  EXPECT_THAT(Messages(buffer.Read({.least = LogLevel::kWarn})), ElementsAre("two"));
  EXPECT_THAT(Messages(buffer.Read({.since_ms = 1001})), ElementsAre());
  EXPECT_THAT(Messages(buffer.Read({.job = "j1", .last = 2})), ElementsAre("one", "two"));
  EXPECT_THAT(Messages(buffer.Read({.last = 0})), ElementsAre());
}

TEST(LogBufferTest, TheOldestGoFirstAndThatIsTold) {
  LogBuffer buffer(3 * (sizeof(LogLineEntry) + 10));
  for (int i = 1; i <= 10; ++i) buffer.Append(Line("line " + std::to_string(i)));
  const LogChunk chunk = buffer.Read({.from = 2});
  EXPECT_THAT(Messages(chunk), ElementsAre("line 8", "line 9", "line 10"));
  EXPECT_EQ(chunk.missed, 6);            // 2 to 7
  EXPECT_EQ(buffer.Read({}).missed, 0);  // who asks for what there is misses nothing
  buffer.SetCapacity(1);
  EXPECT_THAT(Messages(buffer.Read({})), ElementsAre("line 10"));
}

TEST(LogControlTest, LevelsChangeWhileTheProcessRunsAndLinesAreKept) {
  InitializeLogging({.process = "first"});
  NameLogProcess("test");
  EXPECT_EQ(LogProcessName(), "test");
  const int64_t next = ProcessLog().Read({}).next;
  LogDebug("hidden");
  SetLogLevel(LogLevel::kDebug);
  {
    const ScopedLogFields fields({.job = "j1", .subtask = 3});
    LogDebug("shown");
  }
  SetLogLevel(LogLevel::kInfo);
  const LogChunk chunk = ProcessLog().Read({.from = next});
  ASSERT_THAT(Messages(chunk), ElementsAre("shown"));
  EXPECT_EQ(chunk.lines[0].fields.job, "j1");
  EXPECT_EQ(chunk.lines[0].fields.subtask, 3);
  EXPECT_EQ(FindLogLevel("warn"), LogLevel::kWarn);
  EXPECT_EQ(FindLogLevel("loud"), std::nullopt);
}

TEST(LogControlTest, FilesAreBoundedInSizeAndNumber) {
  const TestDirectory directory;
  InitializeLogging({.process = "test", .format = LogFormat::kJson});
  const std::string path = directory.path() + "/job.log";
  ASSERT_TRUE(LogToFile({.path = path, .max_bytes = 1000, .max_count = 3}));
  for (int i = 0; i < 100; ++i) LogInfo("line {}", i);
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(directory.path())) {
    names.push_back(file.path().filename());
    EXPECT_LE(file.file_size(), 1000U) << file.path();
    std::ifstream lines(file.path());
    for (std::string line; std::getline(lines, line);) {
      EXPECT_EQ(nlohmann::json::parse(line)["process"], "test");
    }
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("job.log", "job.1.log", "job.2.log"));
  std::stringstream newest;
  newest << std::ifstream(path).rdbuf();
  EXPECT_THAT(newest.str(), testing::HasSubstr("line 99"));
}

TEST(LogControlTest, AFileThatCannotBeWrittenIsAUserError) {
  const TestDirectory directory;
  std::ofstream(directory.path() + "/file") << "x";
  const Status opened = LogToFile({.path = directory.path() + "/file/x.log"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(opened.error().message, testing::HasSubstr("/file/x.log cannot be written"));
}

}  // namespace
}  // namespace watershed
