// logs: reading on, gaps, processes that start again, and a reader that has gone; against a log
// service in this process that answers what the test says.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "command_line_run.h"
#include "watershed/v1/log.grpc.pb.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

v1::ReadLogResponse Answer(int64_t instance, int64_t first, std::vector<std::string> messages) {
  v1::ReadLogResponse answer;
  answer.set_process("jobmanager");
  answer.set_instance(instance);
  for (const std::string& message : messages) {
    v1::LogLine& line = *answer.add_lines();
    line.set_number(first++);
    line.set_attempt(-1);
    line.set_subtask(-1);
    line.set_level(2);
    line.set_message(message);
  }
  answer.set_next(first);
  return answer;
}

// Gives its answers one after the other, then nothing new, and Ctrl-C with the first of those.
class ScriptedLog final : public v1::LogService::Service {
 public:
  explicit ScriptedLog(std::vector<v1::ReadLogResponse> answers) : answers_(std::move(answers)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("localhost:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~ScriptedLog() override { server_->Shutdown(); }

  grpc::Status ReadLog(grpc::ServerContext*, const v1::ReadLogRequest* request,
                       v1::ReadLogResponse* response) override {
    const std::lock_guard lock(mutex_);
    asked_.push_back(request->from());
    last_.push_back(request->has_last() ? request->last() : -1);
    if (asked_.size() <= answers_.size()) {
      *response = answers_[asked_.size() - 1];
    } else {
      *response = Answer(answers_.back().instance(), answers_.back().next(), {});
      interrupts_ = 1;
    }
    return grpc::Status::OK;
  }

  CommandResult Wsctl(std::vector<std::string> arguments, CommandContext context = {}) {
    arguments.insert(arguments.end(), {"--jobmanager", "localhost:" + std::to_string(port_)});
    context.watch_interrupts = [this]() -> const std::atomic<int>& { return interrupts_; };
    return RunWsctl(arguments, std::move(context));
  }
  // `from` and `last` of every question.
  std::vector<int64_t> asked() const { return asked_; }
  std::vector<int64_t> last() const { return last_; }

 private:
  const std::vector<v1::ReadLogResponse> answers_;
  std::mutex mutex_;
  std::vector<int64_t> asked_, last_;
  std::atomic<int> interrupts_{0};
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// What stands behind "process: " in each line.
std::vector<std::string> Messages(const std::string& out) {
  std::vector<std::string> messages;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    messages.push_back(line.substr(line.find(": ") + 2));
  }
  return messages;
}

TEST(LogsTest, FollowsFromWhereItStopped) {
  ScriptedLog log({Answer(7, 1, {"a", "b"}), Answer(7, 3, {"c"})});
  const CommandResult result = log.Wsctl({"logs", "jobmanager", "--follow"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(Messages(result.out), ElementsAre("a", "b", "c"));
  EXPECT_THAT(log.asked(), ElementsAre(0, 3, 4));
  EXPECT_EQ(result.err, "");
}

TEST(LogsTest, ReadsAllThatThereIsInSeveralAnswers) {
  ScriptedLog log({Answer(7, 1, {"a"}), Answer(7, 2, {"b"})});
  EXPECT_THAT(Messages(log.Wsctl({"logs", "jobmanager"}).out), ElementsAre("a"));
  v1::ReadLogResponse first = Answer(7, 1, {"a"});
  first.set_more(true);
  ScriptedLog longer({first, Answer(7, 2, {"b"})});
  EXPECT_THAT(Messages(longer.Wsctl({"logs", "jobmanager"}).out), ElementsAre("a", "b"));
}

TEST(LogsTest, LinesThatAreNoLongerHeldAreCounted) {
  v1::ReadLogResponse late = Answer(7, 9, {"i"});
  late.set_missed(6);
  ScriptedLog log({Answer(7, 1, {"a", "b"}), late});
  const CommandResult result = log.Wsctl({"logs", "jobmanager", "--follow"});
  EXPECT_THAT(Messages(result.out), ElementsAre("a", "b", "i"));
  EXPECT_THAT(result.err, HasSubstr("jobmanager: 6 lines before these are no longer held"));
}

TEST(LogsTest, AProcessThatStartedAgainIsReadFromItsBeginning) {
  // Its line 3 is none of those that follow the other's line 2.
  ScriptedLog log({Answer(7, 1, {"a", "b"}), Answer(8, 3, {"3"}), Answer(8, 1, {"1", "2", "3"})});
  const CommandResult result = log.Wsctl({"logs", "jobmanager", "--follow"});
  EXPECT_THAT(Messages(result.out), ElementsAre("a", "b", "1", "2", "3"));
  EXPECT_THAT(log.asked(), ElementsAre(0, 3, 0, 4));
}

TEST(LogsTest, OnlyTheFirstLookIsBoundedByTail) {
  ScriptedLog log({Answer(7, 5, {"e", "f"}), Answer(7, 7, {"g", "h", "i"})});
  const CommandResult result = log.Wsctl({"logs", "jobmanager", "--follow", "--tail", "2"});
  EXPECT_THAT(Messages(result.out), ElementsAre("e", "f", "g", "h", "i"));
  EXPECT_THAT(log.last(), ElementsAre(2, -1, -1));
}

TEST(LogsTest, EndsQuietlyWhenWhoeverReadHasGone) {
  ScriptedLog log({Answer(7, 1, {"a"})});
  CommandContext context;
  context.console.reader_has_gone = [] { return true; };
  const CommandResult result = log.Wsctl({"logs", "jobmanager", "--follow"}, std::move(context));
  EXPECT_EQ(result.code, 141);
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(log.asked(), ElementsAre(0));
}

}  // namespace
}  // namespace watershed
