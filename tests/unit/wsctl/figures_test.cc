// metrics and top, against a gRPC service in this process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "command_line_run.h"
#include "fake_job_service.h"

namespace watershed {
namespace {

using testing::HasSubstr;

FakeJobs OneJob() {
  v1::JobDetails job;
  job.mutable_summary()->set_job_id("3f2a0000000000000000000000000001");
  job.mutable_summary()->set_name("session");
  job.mutable_summary()->set_state(v1::RUNNING);
  v1::Vertex* vertex = job.mutable_plan()->add_vertices();
  vertex->set_id("aa");
  vertex->set_name("Source: events");
  vertex->set_parallelism(1);
  job.add_subtasks()->set_vertex_id("aa");
  job.mutable_subtasks(0)->set_state(v1::TASK_RUNNING);
  FakeJobs jobs;
  jobs.jobs = {job};
  return jobs;
}

CommandResult On(const FakeJobService& service, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--jobmanager", service.address()});
  return RunWsctl(arguments);
}

// They look twice, the second time in time for its answer.
TEST(FiguresTest, FitTheTimeoutAndSayWhatTheyLack) {
  FakeJobService service(OneJob());
  for (const std::vector<std::string>& verb :
       {std::vector<std::string>{"metrics"}, {"metrics", "session"}, {"top", "--once"}}) {
    std::vector<std::string> arguments = verb;
    arguments.insert(arguments.end(), {"--timeout", "2s"});
    const CommandResult result = On(service, arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("Source: events x1  RUNNING"));
    EXPECT_THAT(result.err, HasSubstr("warning: --timeout 2s leaves 1"));
  }
  EXPECT_EQ(On(service, {"metrics", "--timeout", "5s"}).err, "");
}

size_t CodePoints(const std::string& text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

// What top has drawn on a terminal of so many columns, without what moves the cursor.
std::string Drawn(const FakeJobService& service, size_t columns) {
  CommandContext context;
  context.console.out_is_terminal = true;
  context.environment = {{"COLUMNS", std::to_string(columns)}};
  const CommandResult result =
      RunWsctl({"top", "--timeout", "2s", "--jobmanager", service.address()}, std::move(context));
  EXPECT_EQ(result.code, 3) << result.err;  // no longer watched
  const size_t begin = result.out.find("wsctl top");
  return result.out.substr(begin, result.out.rfind("\x1b[?25h") - begin);
}

TEST(FiguresTest, TopFitsTheTerminal) {
  FakeJobService service(OneJob());
  for (const size_t columns : {size_t{80}, size_t{40}}) {
    std::istringstream lines(Drawn(service, columns));
    size_t longest = 0;
    for (std::string line; std::getline(lines, line);) {
      longest = std::max(longest, CodePoints(line));
    }
    EXPECT_EQ(longest, columns);
  }
  EXPECT_THAT(Drawn(service, 0), HasSubstr("takes no checkpoints\n"));  // of a width not known
}

}  // namespace
}  // namespace watershed
