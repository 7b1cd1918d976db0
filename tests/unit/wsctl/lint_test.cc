#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "command_line_run.h"
#include "job_file_fixture.h"

namespace watershed {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class LintTest : public testing::Test {
 protected:
  FilesForTest files_;
  std::string good_ = files_.Write("good.yaml", kNumbersJob);
  std::string bad_ = files_.Write("bad.yaml", "kind: Job\nname: x\nsourcess: {}\nfoo: 1\n");
};

TEST_F(LintTest, AValidFileSaysWhatItsSinksGuarantee) {
  CommandResult result = RunWsctl({"lint", good_});
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  EXPECT_EQ(result.out,
            good_ +
                ": job 'numbers' is valid\n"
                "  sink 'out' (blackhole): delivery none: rows are counted and thrown away\n"
                "1 file: 0 errors, 0 warnings\n");
}

TEST_F(LintTest, EveryErrorOfEveryFileIsSaidAndCounted) {
  CommandResult result = RunWsctl({"lint", bad_, good_, files_.directory() + "/missing.yaml"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.out, HasSubstr(bad_ + ":3:1: error: "));
  EXPECT_THAT(result.out, HasSubstr("'sources'"));
  EXPECT_THAT(result.out, HasSubstr(bad_ + ":4:1: error: "));
  EXPECT_THAT(result.out, HasSubstr(good_ + ": job 'numbers' is valid"));
  EXPECT_THAT(result.out, HasSubstr("missing.yaml:1:1: error: cannot be read: No such file"));
  EXPECT_THAT(result.out, HasSubstr("\n3 files: "));
  EXPECT_EQ(result.err, "");  // all has been said
}

TEST_F(LintTest, AsJson) {
  CommandResult result = RunWsctl({"lint", good_, bad_, "-o", "json"});
  EXPECT_EQ(result.code, 2);
  json lint = json::parse(result.out);
  EXPECT_EQ(lint["files"][0],
            json({{"file", good_},
                  {"valid", true},
                  {"job", "numbers"},
                  {"diagnostics", json::array()},
                  {"sinks",
                   {{{"name", "out"},
                     {"connector", "blackhole"},
                     {"delivery", "none"},
                     {"delivery-meaning", "rows are counted and thrown away"}}}}}));
  json bad = lint["files"][1];
  EXPECT_EQ(bad["valid"], false);
  EXPECT_TRUE(bad["job"].is_null());
  ASSERT_GE(bad["diagnostics"].size(), 2u);
  const json* third_line = nullptr;
  for (const json& diagnostic : bad["diagnostics"]) {
    EXPECT_EQ(diagnostic["severity"], "error");
    if (diagnostic["line"] == 3) third_line = &diagnostic;
  }
  ASSERT_NE(third_line, nullptr) << bad;
  EXPECT_EQ((*third_line)["column"], 1);
  EXPECT_THAT((*third_line)["message"].get<std::string>(), HasSubstr("'sourcess'"));
  EXPECT_EQ(lint["errors"], bad["diagnostics"].size());
}

// What only the planner sees is an error of the file too.
TEST_F(LintTest, PlansWithTheParallelismGiven) {
  CommandResult result = RunWsctl({"lint", good_, "-p", "1000"});
  EXPECT_EQ(result.code, 2) << result.out;
  EXPECT_THAT(result.out, HasSubstr("1000"));
}

TEST_F(LintTest, VariablesComeFromTheEnvironmentAndEnvFiles) {
  std::string job = files_.Write("env.yaml",
                                 "kind: Job\nname: ${NAME}\nsources:\n  rows:\n"
                                 "    connector: datagen\n    columns: {ip: string}\n"
                                 "sinks:\n  out: {input: rows, connector: blackhole}\n");
  CommandResult missing = RunWsctl({"lint", job});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.out, HasSubstr("NAME"));
  CommandContext context;
  context.environment = {{"NAME", "from-environment"}};
  EXPECT_THAT(RunWsctl({"lint", job}, context).out, HasSubstr("'from-environment'"));
  std::string first = files_.Write("a.env", "NAME=first\n");
  std::string second = files_.Write("b.env", "NAME=second\n");
  EXPECT_THAT(RunWsctl({"lint", job, "--env-file", first}, context).out, HasSubstr("'first'"));
  EXPECT_THAT(RunWsctl({"lint", job, "--env-file", first, "--env-file", second}).out,
              HasSubstr("'second'"));
  std::string broken = files_.Write("c.env", "PASSWORD hunter2\n");
  CommandResult result = RunWsctl({"lint", job, "--env-file", broken});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr(broken + ":1"));
  EXPECT_THAT(result.err, testing::Not(HasSubstr("hunter2")));
}

TEST_F(LintTest, WithoutCheckpointsASinkGuaranteesNothing) {
  const std::string head = "kind: Job\nname: x\n";
  const std::string rest =
      "sources:\n  rows: {connector: datagen, columns: {ip: string}}\n"
      "sinks:\n  out: {input: rows, connector: kafka, topic: t, format: json,\n"
      "        properties.bootstrap.servers: 'localhost:1'}\n";
  const std::string without = files_.Write("without.yaml", head + rest);
  const std::string with =
      files_.Write("with.yaml", head + "checkpointing: {interval: 10s}\n" + rest);
  EXPECT_THAT(RunWsctl({"lint", with}).out, HasSubstr("delivery exactly-once"));
  EXPECT_THAT(RunWsctl({"lint", without}).out,
              HasSubstr("delivery none: the job takes no checkpoints"));
}

TEST_F(LintTest, ExactlyOnceWithoutCheckpointsIsRefused) {
  const auto job = [&](const std::string& checkpointing, const std::string& delivery) {
    return files_.Write(
        "promise.yaml",
        "kind: Job\nname: x\n" + checkpointing +
            "sources:\n  rows: {connector: datagen, columns: {ip: string}}\n"
            "sinks:\n  out: {input: rows, connector: kafka, topic: t, format: json,\n"
            "        properties.bootstrap.servers: 'localhost:1',\n"
            "        delivery: " +
            delivery + "}\n");
  };
  CommandResult refused = RunWsctl({"lint", job("", "exactly-once")});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.out, HasSubstr("promise.yaml:8:19: error: sink 'out': exactly-once needs "
                                     "checkpoints, and this job takes none"));
  EXPECT_EQ(RunWsctl({"lint", job("", "at-least-once")}).code, 0);
  EXPECT_EQ(RunWsctl({"lint", job("checkpointing: {interval: 1s}\n", "exactly-once")}).code, 0);
}

TEST_F(LintTest, FilesystemSinksAreCheckedAndSayWhatTheyGuarantee) {
  const auto job = [&](const std::string& options) {
    return files_.Write(
        "files.yaml",
        "kind: Job\nname: x\ncheckpointing: {interval: 1s}\n"
        "sources:\n  rows: {connector: datagen, columns: {ip: string}}\n"
        "sinks:\n  out: {input: rows, connector: filesystem, path: /data,\n        " +
            options + "}\n");
  };
  EXPECT_THAT(RunWsctl({"lint", job("format: csv")}).out,
              HasSubstr("sink 'out' (filesystem): delivery exactly-once: files appear whole"));
  EXPECT_THAT(RunWsctl({"lint", job("format: json, delivery: at-least-once")}).out,
              HasSubstr("sink 'out' (filesystem): delivery at-least-once: files appear whole"));
  CommandResult refused = RunWsctl({"lint", job("format: {type: csv, field-delimiter: ab}")});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.out, HasSubstr("files.yaml:8:46: error: sink 'out': field-delimiter is 'ab': "
                                     "expected one ASCII character"));
}

TEST_F(LintTest, StrangeFilesDoNotBreakIt) {
  std::string empty = files_.Write("empty.yaml", "");
  std::string binary = files_.Write("binary.yaml", std::string("\x00\xff\x1b[2J\n\x01", 8));
  std::string huge = files_.Write("huge.yaml", std::string(5 << 20, '#'));
  for (const std::string& path : {empty, binary, huge, files_.directory()}) {
    CommandResult result = RunWsctl({"lint", path});
    EXPECT_EQ(result.code, 2) << path;
    EXPECT_THAT(result.out, HasSubstr(path + ":")) << path;
    EXPECT_THAT(result.out, HasSubstr("error: ")) << path;
    EXPECT_THAT(result.out, testing::Not(HasSubstr("\x1b"))) << path;
  }
}

}  // namespace
}  // namespace watershed
