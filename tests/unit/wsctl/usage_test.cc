// What wsctl answers to what is typed: exit codes of wrong usage, help, version.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "command_line_run.h"
#include "runtime/version/version.h"

namespace watershed {
namespace {

using testing::HasSubstr;

struct UsageCase {
  std::vector<std::string> arguments;
  std::string message;
};

TEST(UsageTest, WrongUsageIsCode2AndSaysWhy) {
  const UsageCase cases[] = {
      {{}, "a command is missing"},
      {{"frobnicate"}, "there is no command 'frobnicate'"},
      {{"submitt", "a.yaml"}, "did you mean 'submit'?"},
      {{"--nope", "list"}, "--nope"},
      {{"submit"}, "FILE is required"},
      {{"lint"}, "FILE is required"},
      {{"get"}, "JOB is required"},
      {{"cancel"}, "JOB is required"},
      {{"run"}, "FILE is required"},
      {{"list", "extra"}, "extra"},
      {{"list", "--nope"}, "--nope"},
      {{"list", "-o", "xml"}, "xml"},
      {{"list", "-p", "0"}, "0"},
      {{"list", "-p", "two"}, "two"},
      {{"list", "-p", "99999"}, "99999"},
      {{"list", "-p", "2"}, "list has none"},
      {{"submit", "--helpp"}, "there is no option '--helpp', did you mean '--help'?"},
      {{"list", "--timeout", "5"}, "--timeout"},
      {{"list", "--timeout", "0s"}, "above zero"},
      {{"list", "--timeout", "soon"}, "--timeout"},
      {{"list", "--jobmanager", "nowhere"}, "expected host:port"},
      {{"list", "--jobmanager", ":6123"}, "expected host:port"},
      {{"list", "--jobmanager", "host:99999"}, "expected host:port"},
      {{"list", "--jobmanager", "host:12x"}, "expected host:port"},
      {{"list", "--jobmanager", "http://host:6123"}, "expected host:port"},
      {{"submit", "a.yaml", "b.yaml"}, "b.yaml"},
  };
  for (const UsageCase& c : cases) {
    CommandResult result = RunWsctl(c.arguments);
    std::string line = testing::PrintToString(c.arguments);
    EXPECT_EQ(result.code, 2) << line << result.err;
    EXPECT_THAT(result.err, testing::StartsWith("error: ")) << line;
    EXPECT_THAT(result.err, HasSubstr(c.message)) << line;
    EXPECT_EQ(result.out, "") << line;
  }
}

TEST(UsageTest, HelpIsCode0AndShowsExamples) {
  CommandResult result = RunWsctl({"--help"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.err, "");
  for (const char* text :
       {"lint", "submit", "list", "get", "cancel", "run", "version", "--env-file", "--jobmanager",
        "WSCTL_JOBMANAGER", "--timeout", "Examples:", "Exit codes: 0 done, 1 failed"}) {
    EXPECT_THAT(result.out, HasSubstr(text));
  }
  for (const char* verb : {"lint", "submit", "list", "get", "cancel", "run", "version"}) {
    CommandResult help = RunWsctl({verb, "--help"});
    EXPECT_EQ(help.code, 0) << verb;
    EXPECT_THAT(help.out, HasSubstr(std::string("wsctl ") + verb)) << help.out;
    EXPECT_THAT(help.out, HasSubstr("\nExample")) << verb;
  }
}

TEST(UsageTest, HelpWithoutACommandIsTheOverview) {
  EXPECT_EQ(RunWsctl({"help"}).out, RunWsctl({"--help"}).out);
}

TEST(UsageTest, Version) {
  CommandResult result = RunWsctl({"version"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, testing::StartsWith("wsctl " + std::string(BuildVersion())));
  EXPECT_EQ(RunWsctl({"--version"}).code, 0);
  EXPECT_THAT(RunWsctl({"version", "-o", "json"}).out,
              HasSubstr("\"version\": \"" + std::string(BuildVersion()) + "\""));
}

// The address comes from the environment unless the option says otherwise.
TEST(UsageTest, JobManagerFromTheEnvironment) {
  ASSERT_EQ(setenv("WSCTL_JOBMANAGER", "from-environment", 1), 0);
  EXPECT_THAT(RunWsctl({"list"}).err, HasSubstr("'from-environment'"));
  EXPECT_THAT(RunWsctl({"list", "--jobmanager", "typed"}).err, HasSubstr("'typed'"));
  ASSERT_EQ(unsetenv("WSCTL_JOBMANAGER"), 0);
}

TEST(UsageTest, OutputThatCannotBeWrittenIsCode1) {
  std::ostringstream err;
  std::ostream broken(nullptr);
  CommandContext context;
  context.console.out = &broken;
  context.console.err = &err;
  EXPECT_EQ(RunCommandLine({"version"}, context), 1);
  EXPECT_THAT(err.str(), HasSubstr("standard output cannot be written"));
}

}  // namespace
}  // namespace watershed
