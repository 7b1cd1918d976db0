// Rows of an epoch are in a real PostgreSQL once, whatever happens to tasks, sessions and answers.
#include <gmock/gmock.h>

#include <thread>

#include "tests/connectors/lost_answer_proxy.h"
#include "tests/connectors/postgres_sink_fixture.h"

namespace watershed::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PostgresExactlyOnceTest : public PostgresSinkTest {
 protected:
  std::vector<std::string> Rows() {
    return client.Run("SELECT num_logs FROM " + table + " ORDER BY 1");
  }
  std::vector<std::string> Progress() {
    return client.Run(
        "SELECT writer, attempt, job, epoch, committed_by FROM watershed_sink_progress WHERE "
        "lineage "
        "= '" +
        table + "' ORDER BY 1");
  }
  // One epoch's segments, of rows that nobody has committed.
  std::vector<SinkSegment> Segments(Sink& sink, int64_t epoch, int64_t first, int64_t count,
                                    int32_t writer = 0) {
    EXPECT_TRUE(sink.Write(Sessions(first, count)));
    auto segments = sink.Prepare({epoch});
    EXPECT_TRUE(segments);
    for (SinkSegment& segment : *segments) segment.writer = writer;
    return std::move(*segments);
  }

  const std::string table = NewSessionTable();  // its name is the lineage, too
};

TEST_F(PostgresExactlyOnceTest, TheMarkerIsInTheTransactionOfItsRows) {
  const auto sink = Make(Options(table));
  const auto markers = FenceSink(*sink, table, 3);
  ASSERT_OK(markers);
  EXPECT_EQ(markers->at(0).last_committed_epoch.value, -1);
  EXPECT_THAT(Progress(), ElementsAre("0|3|job|-1|"));
  ASSERT_OK(WriteEpoch(*sink, 7, Sessions(0, 2)));
  EXPECT_THAT(Progress(), ElementsAre("0|3|job|7|job"));
  EXPECT_THAT(Rows(), ElementsAre("0", "1"));
  // A row that the table refuses takes the marker back with it.
  client.Run("ALTER TABLE " + table + " ADD CHECK (num_logs < 10)");
  EXPECT_FALSE(WriteEpoch(*sink, 8, Sessions(9, 2)));
  EXPECT_THAT(Progress(), ElementsAre("0|3|job|7|job"));
  EXPECT_THAT(Rows(), ElementsAre("0", "1"));
}

TEST_F(PostgresExactlyOnceTest, AnEpochThatIsAskedForAgainIsThereOnce) {
  const auto sink = Make(Options(table));
  ASSERT_OK(StartSink(*sink, table));
  const std::vector<SinkSegment> segments = Segments(*sink, 5, 0, 2);
  ASSERT_OK(sink->Commit({5}, segments));
  ASSERT_OK(sink->Commit({5}, segments));
  EXPECT_THAT(Rows(), ElementsAre("0", "1"));
}

TEST_F(PostgresExactlyOnceTest, WhoeverWasReplacedWritesNothing) {
  const auto old = Make(Options(table)), now = Make(Options(table));
  ASSERT_OK(FenceSink(*old, table, 1));
  ASSERT_OK(FenceSink(*now, table, 2));
  const Status status = WriteEpoch(*old, 1, Sessions(0, 1));
  ASSERT_FALSE(status);
  EXPECT_FALSE(status.error().retryable);
  EXPECT_THAT(status.error().message, HasSubstr("attempt 2 has taken writer 0"));
  EXPECT_THAT(Rows(), IsEmpty());
  ASSERT_OK(WriteEpoch(*now, 1, Sessions(0, 1)));
  EXPECT_THAT(Rows(), ElementsAre("0"));
}

TEST_F(PostgresExactlyOnceTest, AnAttemptThatWakesUpLateCannotTakeItsWriterBack) {
  const auto late = Make(Options(table)), now = Make(Options(table));
  ASSERT_OK(FenceSink(*now, table, 2));
  const auto markers = FenceSink(*late, table, 1);
  ASSERT_FALSE(markers);
  EXPECT_FALSE(markers.error().retryable);
  ASSERT_OK(WriteEpoch(*now, 1, Sessions(0, 1)));
}

TEST_F(PostgresExactlyOnceTest, OfTwoJobsOfOneLineageAndAttemptTheFirstWrites) {
  const auto first = Make(Options(table), SessionSchema(), "first");
  const auto second = Make(Options(table), SessionSchema(), "second");
  ASSERT_OK(FenceSink(*first, table, 2));
  const auto refused = FenceSink(*second, table, 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("job first"), HasSubstr("--fork")));
  ASSERT_OK(WriteEpoch(*first, 1, Sessions(0, 1)));
  ASSERT_OK(FenceSink(*second, table, 3));
  EXPECT_THAT(WriteEpoch(*first, 2, Sessions(1, 1)).error().message, HasSubstr("job second"));
  EXPECT_THAT(Rows(), ElementsAre("0"));
}

// Restored to write somewhere else, a job has nothing to do with what was written before.
TEST_F(PostgresExactlyOnceTest, EachTableHasAProgressOfItsOwn) {
  const std::string other = NewSessionTable();
  const auto first = Make(Options(table), SessionSchema(), "first");
  const auto second = Make(Options(other), SessionSchema(), "second");
  ASSERT_OK(FenceSink(*first, table, 2));
  ASSERT_OK(WriteEpoch(*first, 1, Sessions(0, 1)));
  const auto markers = FenceSink(*second, table, 2);
  ASSERT_OK(markers);
  EXPECT_EQ(markers->at(0).last_committed_epoch.value, -1);
  ASSERT_OK(WriteEpoch(*first, 2, Sessions(1, 1)));
  EXPECT_THAT(Rows(), ElementsAre("0", "1"));
}

TEST_F(PostgresExactlyOnceTest, WhatIsLeftOfAllWritersIsWrittenOnceInTheirNames) {
  const auto old = Make(Options(table));
  ASSERT_OK(FenceSink(*old, table, 1, {0, 1}));
  std::vector<SinkSegment> left = Segments(*old, 4, 0, 1);
  ASSERT_OK(old->Commit({4}, left));
  for (const SinkSegment& segment : Segments(*old, 5, 10, 2)) left.push_back(segment);
  for (const SinkSegment& segment : Segments(*old, 4, 20, 1, 1)) left.push_back(segment);
  // Twice, as when the task is lost behind its first recovery.
  for (const int32_t attempt : {2, 3}) {
    const auto now = Make(Options(table));
    ASSERT_OK(FenceSink(*now, table, attempt, {0, 1}));
    ASSERT_OK(now->Recover(left));
  }
  EXPECT_THAT(Rows(), ElementsAre("0", "10", "11", "20"));
  EXPECT_THAT(Progress(), ElementsAre("0|3|job|5|job", "1|3|job|4|job"));
}

// A client that died in the middle of a COPY holds the row of its writer: the server waits for it.
TEST_F(PostgresExactlyOnceTest, ASessionThatNobodyIsBehindIsEnded) {
  PostgresClient dead(RunningPeers().PostgresConnectionString() + " application_name='watershed " +
                      table.substr(0, 12) + " w0 a1 sessions'");
  const auto first = Make(Options(table));
  ASSERT_OK(StartSink(*first, table));
  dead.Run("BEGIN");
  dead.Run("UPDATE watershed_sink_progress SET epoch = 1 WHERE lineage = '" + table + "'");
  const auto second = Make(Options(table));
  const auto markers = FenceSink(*second, table, 2);
  ASSERT_OK(markers);
  EXPECT_EQ(markers->at(0).last_committed_epoch.value, -1);
  ASSERT_OK(WriteEpoch(*second, 1, Sessions(0, 1)));
  EXPECT_THAT(Rows(), ElementsAre("0"));
}

TEST_F(PostgresExactlyOnceTest, ASessionOfALaterAttemptIsLeftAlone) {
  const auto old = Make(Options(table));
  ASSERT_OK(StartSink(*old, table));
  PostgresClient later(RunningPeers().PostgresConnectionString() + " application_name='watershed " +
                       table.substr(0, 12) + " w0 a2 sessions'");
  later.Run("BEGIN");
  later.Run("UPDATE watershed_sink_progress SET attempt = 2 WHERE lineage = '" + table + "'");
  Status status = Ok();
  std::thread committing([&] { status = WriteEpoch(*old, 1, Sessions(0, 1)); });
  // It has looked who holds the row when its watcher has come and gone.
  const auto watched = [&] {
    return !client
                .Run("SELECT 1 FROM pg_stat_activity WHERE application_name = 'watershed watcher'")
                .empty();
  };
  while (!watched()) {
  }
  while (watched()) {
  }
  later.Run("COMMIT");
  committing.join();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("attempt 2"));
}

TEST_F(PostgresExactlyOnceTest, ACommitWhoseAnswerWasLostIsSettledByAnotherAttempt) {
  LostAnswerProxy proxy(RunningPeers().postgres_host, RunningPeers().postgres_port);
  const auto sink =
      Make(Options(table, {{"url", fmt::format("postgresql://127.0.0.1:{}/{}", proxy.port(),
                                               RunningPeers().postgres_db)}}));
  ASSERT_OK(StartSink(*sink, table));
  const std::vector<SinkSegment> segments = Segments(*sink, 1, 0, 3);
  proxy.LoseAnswerTo("COMMIT");
  ASSERT_FALSE(sink->Commit({1}, segments));
  EXPECT_TRUE(proxy.lost_one());
  const auto next = Make(Options(table));
  const auto markers = FenceSink(*next, table, 2);
  ASSERT_OK(markers);
  EXPECT_EQ(markers->at(0).last_committed_epoch.value, 1);
  ASSERT_OK(next->Recover(segments));
  EXPECT_THAT(Rows(), ElementsAre("0", "1", "2"));
}

TEST_F(PostgresExactlyOnceTest, ProgressThatWasDeletedStopsTheWriter) {
  const auto sink = Make(Options(table));
  ASSERT_OK(StartSink(*sink, table));
  client.Run("DELETE FROM watershed_sink_progress WHERE lineage = '" + table + "'");
  const Status status = WriteEpoch(*sink, 1, Sessions(0, 1));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().domain, ErrorDomain::kUser);
  EXPECT_THAT(status.error().message, HasSubstr("somebody deleted it"));
  EXPECT_THAT(Rows(), IsEmpty());
}

TEST_F(PostgresExactlyOnceTest, WhoeverMayNotKeepProgressIsToldWhatToRun) {
  const std::string role = UniqueName("writer"), schema = UniqueName("s");
  client.Run("CREATE ROLE " + role + " LOGIN PASSWORD 'w'");
  client.Run("CREATE SCHEMA " + schema);
  client.Run("CREATE TABLE " + schema +
             ".t (ip VARCHAR, session_start TIMESTAMP(3), num_logs BIGINT)");
  client.Run("GRANT USAGE ON SCHEMA " + schema + " TO " + role);
  client.Run("GRANT INSERT ON " + schema + ".t TO " + role);
  const OptionMap options = Options(schema + ".t", {{"username", role}, {"password", "w"}});
  const Error missing = OpenError(options);
  EXPECT_EQ(missing.domain, ErrorDomain::kUser);
  EXPECT_THAT(missing.message, AllOf(HasSubstr("CREATE TABLE IF NOT EXISTS"), HasSubstr("GRANT")));
  // Somebody who may has done it, but for the rights.
  const OptionMap owner = Options(schema + ".t");
  ASSERT_OK(Make(owner)->Open());
  EXPECT_THAT(client.Run("SELECT to_regclass('" + schema + ".watershed_sink_progress')"),
              ElementsAre("null"))
      << "opening changes nothing";
  ASSERT_OK(StartSink(*Make(owner), table));
  EXPECT_THAT(OpenError(options).message, HasSubstr("GRANT SELECT, INSERT, UPDATE"));
  client.Run("GRANT SELECT, INSERT, UPDATE ON " + schema + ".watershed_sink_progress TO " + role);
  const auto sink = Make(options);
  ASSERT_OK(StartSink(*sink, table));
  ASSERT_OK(WriteEpoch(*sink, 1, Sessions(0, 1)));
}

TEST_F(PostgresExactlyOnceTest, AtLeastOnceNeedsNoProgress) {
  const std::string schema = UniqueName("s");
  client.Run("CREATE SCHEMA " + schema);
  client.Run("CREATE TABLE " + schema +
             ".t (ip VARCHAR, session_start TIMESTAMP(3), num_logs BIGINT)");
  const auto sink = Make(Options(schema + ".t", {{"delivery", "at-least-once"}}));
  EXPECT_FALSE(sink->keeps_markers());
  EXPECT_TRUE(sink->writes_at_once());
  ASSERT_OK(StartSink(*sink, table));
  ASSERT_OK(WriteEpoch(*sink, 1, Sessions(0, 1)));
  ASSERT_OK(WriteEpoch(*sink, 1, Sessions(0, 1)));
  EXPECT_THAT(client.Run("SELECT num_logs FROM " + schema + ".t"), ElementsAre("0", "0"));
  EXPECT_THAT(client.Run("SELECT to_regclass('" + schema + ".watershed_sink_progress')"),
              ElementsAre("null"));
}

TEST_F(PostgresExactlyOnceTest, AnUpsertReplacesByThePrimaryKeyTheLastRowOfAnEpochWins) {
  const std::string keyed = NewTable(
      "ip VARCHAR, session_start TIMESTAMP(3), num_logs BIGINT, note TEXT NOT NULL DEFAULT 'kept', "
      "PRIMARY KEY (ip)");
  const auto sink = Make(Options(keyed, {{"delivery", "upsert"}}));
  ASSERT_OK(StartSink(*sink, table));
  ASSERT_OK(sink->Write(Sessions(1, 3, "a")));
  ASSERT_OK(WriteEpoch(*sink, 1, Sessions(7, 1, "b")));
  EXPECT_THAT(client.Run("SELECT ip, num_logs, note FROM " + keyed + " ORDER BY 1"),
              ElementsAre("a|3|kept", "b|7|kept"));
  client.Run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
      "'watershed " +
      table.substr(0, 12) + "%' OR application_name LIKE 'watershed test sess%'");
  EXPECT_FALSE(WriteEpoch(*sink, 2, Sessions(9, 1, "a")));
  ASSERT_OK(WriteEpoch(*sink, 2, Sessions(9, 1, "a")));
  EXPECT_THAT(client.Run("SELECT ip, num_logs FROM " + keyed + " ORDER BY 1"),
              ElementsAre("a|9", "b|7"));
}

TEST_F(PostgresExactlyOnceTest, AnUpsertNeedsAPrimaryKeyThatIsWritten) {
  EXPECT_THAT(OpenError(Options(table, {{"delivery", "upsert"}})).message,
              HasSubstr("no primary key"));
  const std::string other =
      NewTable("ip VARCHAR, session_start TIMESTAMP(3), num_logs BIGINT, id BIGSERIAL PRIMARY KEY");
  EXPECT_THAT(OpenError(Options(other, {{"delivery", "upsert"}})).message,
              HasSubstr("'id' of the primary key"));
}

}  // namespace
}  // namespace watershed::test
