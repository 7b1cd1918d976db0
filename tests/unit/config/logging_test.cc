#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runtime/logging/line_format.h"
#include "runtime/logging/log.h"

namespace watershed {
namespace {

TEST(LoggingTest, TextLineCarriesTheFieldsThatAreKnown) {
  const LogFields fields{.job = "ab12", .attempt = 0, .vertex = "Sink: out", .subtask = 3};
  const LogRecord record{1'700'000'000'042, LogLevel::kWarn, "taskmanager", &fields, "slow"};
  EXPECT_EQ(FormatTextLine(record),
            "2023-11-14T22:13:20.042Z WARN  taskmanager job=ab12 attempt=0 vertex=\"Sink: out\" "
            "subtask=3: slow");
  const LogFields none;
  EXPECT_EQ(FormatTextLine({0, LogLevel::kInfo, "jobmanager", &none, "up"}),
            "1970-01-01T00:00:00.000Z INFO  jobmanager: up");
}

TEST(LoggingTest, JsonLineIsOneValidObject) {
  const LogFields fields{.job = "ab12", .attempt = 2};
  const auto line = nlohmann::json::parse(
      FormatJsonLine({5, LogLevel::kError, "jobmanager", &fields, "two\nlines \"quoted\" \xff"}));
  EXPECT_EQ(line["job"], "ab12");
  EXPECT_EQ(line["attempt"], 2);
  EXPECT_FALSE(line.contains("subtask"));
  EXPECT_EQ(line["level"], "ERROR");
  EXPECT_EQ(line["message"].get<std::string>().substr(0, 9), "two\nlines");
}

TEST(LoggingTest, FieldsNestPerThreadAndLinesObeyTheLevel) {
  InitializeLogging({.process = "test", .level = LogLevel::kInfo, .format = LogFormat::kText});
  testing::internal::CaptureStderr();
  {
    const ScopedLogFields job({.job = "j1", .attempt = 1});
    {
      const ScopedLogFields task({.subtask = 7});
      LogInfo("inner {}", 1);
    }
    LogInfo("outer");
    LogDebug("hidden");
  }
  LogInfo("none");
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("test job=j1 attempt=1 subtask=7: inner 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("test job=j1 attempt=1: outer\n"), std::string::npos) << text;
  EXPECT_NE(text.find("test: none\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("hidden"), std::string::npos) << text;
}

}  // namespace
}  // namespace watershed
