// Mistakes planted in the sinks (runtime/types/planted_bug.h) show in a real PostgreSQL and a real
// Kafka: what keeps rows there once is what is tested, and the tests of the sinks can fail.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/types/planted_bug.h"
#include "tests/connectors/kafka_sink_fixture.h"
#include "tests/connectors/postgres_sink_fixture.h"

namespace watershed::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A new table or topic, whose name is the lineage, too.
class Target {
 public:
  virtual ~Target() = default;
  virtual std::unique_ptr<Sink> MakeSink() = 0;
  virtual RecordBatch Row() = 0;
  virtual std::vector<std::string> Rows() = 0;

  std::unique_ptr<Sink> Start(int32_t attempt) {
    auto sink = MakeSink();
    EXPECT_TRUE(sink->Open());
    EXPECT_TRUE(sink->Fence(std::vector<WriterId>{{name_, "sink", 0}}, {attempt}));
    return sink;
  }
  std::vector<SinkSegment> Segments(Sink& sink) {
    EXPECT_TRUE(sink.Write(Row()));
    return sink.Prepare({1}).value();
  }

 protected:
  const std::string name_ = UniqueName("planted");
};

class PostgresTarget final : public Target {
 public:
  PostgresTarget() {
    client_.Run("CREATE TABLE " + name_ +
                " (ip VARCHAR, session_start TIMESTAMP(3), num_logs BIGINT)");
  }
  std::unique_ptr<Sink> MakeSink() override {
    const Peers& peers = RunningPeers();
    return MakePostgresSink({{"url", peers.postgres_url},
                             {"username", peers.postgres_user},
                             {"password", peers.postgres_password},
                             {"table-name", name_}},
                            SessionSchema(),
                            {.job_name = "test", .job = JobId{"job"}, .operator_id = "sink"})
        .value();
  }
  RecordBatch Row() override { return Sessions(7, 1); }
  std::vector<std::string> Rows() override { return client_.Run("SELECT num_logs FROM " + name_); }

 private:
  PostgresClient client_{RunningPeers().PostgresConnectionString()};
};

class KafkaTarget final : public Target {
 public:
  KafkaTarget() { CreateTopic(RunningPeers().kafka_url, name_, 1); }
  std::unique_ptr<Sink> MakeSink() override {
    return test::MakeSink(RunningPeers().kafka_url, name_, {},
                          {.job_name = "test", .job = JobId{"job"}, .operator_id = "sink"});
  }
  RecordBatch Row() override { return TextRows({"7"}); }
  std::vector<std::string> Rows() override { return ReadTopic(RunningPeers().kafka_url, name_); }
};

class PlantedSinkBugTest : public testing::TestWithParam<bool> {
 protected:
  ~PlantedSinkBugTest() override { planted_bug = PlantedBug::kNone; }
  // The rows that `use` leaves in a target of its own.
  template <typename Use>
  static std::vector<std::string> RowsWith(PlantedBug bug, const Use& use) {
    std::unique_ptr<Target> target;
    if (GetParam()) {
      target = std::make_unique<PostgresTarget>();
    } else {
      target = std::make_unique<KafkaTarget>();
    }
    planted_bug = bug;
    use(*target);
    planted_bug = PlantedBug::kNone;
    return target->Rows();
  }
};

TEST_P(PlantedSinkBugTest, WithoutFencingAZombieWrites) {
  const auto use = [](Target& target) {
    const auto zombie = target.Start(1);
    const auto now = target.Start(2);
    (void)zombie->Commit({1}, target.Segments(*zombie));
  };
  EXPECT_THAT(RowsWith(PlantedBug::kNone, use), IsEmpty());
  EXPECT_THAT(RowsWith(PlantedBug::kNoFencing, use), ElementsAre("7"));
}

TEST_P(PlantedSinkBugTest, WithAMarkerOutsideTheirTransactionRowsAreLost) {
  const auto use = [](Target& target) {
    const auto sink = target.Start(1);
    const std::vector<SinkSegment> segments = target.Segments(*sink);
    std::vector<SinkSegment> unreadable = segments;
    unreadable[0].payload = {
        1, []() -> Result<std::string> { return TransientError("the storage is away"); }};
    EXPECT_FALSE(sink->Commit({1}, unreadable));
    EXPECT_TRUE(sink->Commit({1}, segments));
  };
  EXPECT_THAT(RowsWith(PlantedBug::kNone, use), ElementsAre("7"));
  EXPECT_THAT(RowsWith(PlantedBug::kMarkerOutsideTransaction, use), IsEmpty());
}

TEST_P(PlantedSinkBugTest, ASegmentCommittedTwiceIsThereTwice) {
  const auto use = [](Target& target) {
    const auto sink = target.Start(1);
    const std::vector<SinkSegment> segments = target.Segments(*sink);
    EXPECT_TRUE(sink->Commit({1}, segments));
    EXPECT_TRUE(sink->Commit({1}, segments));
  };
  EXPECT_THAT(RowsWith(PlantedBug::kNone, use), ElementsAre("7"));
  EXPECT_THAT(RowsWith(PlantedBug::kSegmentCommittedTwice, use), ElementsAre("7", "7"));
}

INSTANTIATE_TEST_SUITE_P(All, PlantedSinkBugTest, testing::Bool(), [](const auto& info) {
  return std::string(info.param ? "postgres" : "kafka");
});

}  // namespace
}  // namespace watershed::test
