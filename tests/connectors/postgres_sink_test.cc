// The PostgreSQL sink against a real server.
#include "runtime/connectors/postgres/sink.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/connectors/lost_answer_proxy.h"
#include "tests/connectors/postgres_sink_fixture.h"
#include "tests/support/owned_peer.h"

namespace watershed::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(PostgresSinkTest, RowsAreVisibleAfterTheCommitAndNotBefore) {
  const std::string table = NewSessionTable();
  const auto sink = Make(Options(table));
  ASSERT_OK(StartSink(*sink, table));
  ASSERT_OK(sink->Write(Sessions(0, 2)));
  EXPECT_GT(sink->buffered_bytes(), 0);
  const auto segments = sink->Prepare({1});
  ASSERT_OK(segments);
  EXPECT_EQ(sink->buffered_bytes(), 0);
  ASSERT_EQ(segments->size(), 1u);
  EXPECT_EQ(segments->at(0).rows, 2);
  EXPECT_THAT(client.Run("SELECT * FROM " + table), IsEmpty());
  ASSERT_OK(sink->Commit({1}, *segments));
  EXPECT_THAT(
      client.Run("SELECT * FROM " + table + " ORDER BY 3"),
      ElementsAre("10.0.0.1|2024-01-31 08:00:00.123|0", "10.0.0.1|2024-01-31 08:00:00.124|1"));
  EXPECT_THAT(*sink->Prepare({2}), IsEmpty());
}

TEST_F(PostgresSinkTest, EveryTypeComesBackAsItWas) {
  const std::string table = NewTable(
      "a BOOLEAN, b SMALLINT, c INTEGER, d BIGINT, e REAL, f DOUBLE PRECISION, g TIMESTAMP(3), "
      "h TIMESTAMPTZ, i TEXT, j VARCHAR(5), k CHAR(3), l BYTEA, m VARCHAR DEFAULT 'kept'");
  const std::vector<std::pair<const char*, TypeKind>> columns = {
      {"a", TypeKind::kBool},        {"b", TypeKind::kInt32},       {"c", TypeKind::kInt64},
      {"d", TypeKind::kInt32},       {"e", TypeKind::kDouble},      {"f", TypeKind::kDouble},
      {"g", TypeKind::kTimestampMs}, {"h", TypeKind::kTimestampMs}, {"i", TypeKind::kString},
      {"j", TypeKind::kString},      {"k", TypeKind::kString},      {"l", TypeKind::kBytes}};
  std::vector<Field> fields;
  for (const auto& [name, kind] : columns) fields.push_back({name, {kind}});
  const auto schema = std::make_shared<Schema>(fields);
  BatchBuilder builder(schema);
  builder.column(0).AppendBool(true);
  builder.column(1).AppendInt32(-7);
  builder.column(2).AppendInt64(-2'147'483'648);
  builder.column(3).AppendInt32(5);
  builder.column(4).AppendDouble(0.5);
  builder.column(5).AppendDouble(-1e300);
  builder.column(6).AppendInt64(-1);
  builder.column(7).AppendInt64(0);
  builder.column(8).AppendString("tab\there \\ 'quote' \"x\" é😀");
  builder.column(9).AppendString("äöüßé");
  builder.column(10).AppendString("ab");
  builder.column(11).AppendString({"\0\xff", 2});
  builder.FinishRow();
  for (int i = 0; i < 12; ++i) builder.column(i).AppendNull();
  builder.FinishRow();
  const auto sink = Make(Options(table), schema);
  ASSERT_OK(StartSink(*sink, table));
  ASSERT_OK(WriteEpoch(*sink, 1, builder.Finish()));
  client.Run("SET timezone = 'UTC'");
  EXPECT_THAT(client.Run("SELECT * FROM " + table),
              ElementsAre("t|-7|-2147483648|5|0.5|-1e+300|1969-12-31 23:59:59.999|1970-01-01 "
                          "00:00:00+00|tab\there \\ 'quote' \"x\" é😀|äöüßé|ab |\\x00ff|kept",
                          "null|null|null|null|null|null|null|null|null|null|null|null|kept"));
}

TEST_F(PostgresSinkTest, SchemasQuotedNamesAndColumnOrder) {
  const std::string schema = UniqueName("s");
  client.Run("CREATE SCHEMA " + schema);
  client.Run("CREATE TABLE " + schema +
             ".\"Odd \"\"Name\" (num_logs BIGINT, ip TEXT, "
             "session_start TIMESTAMP(3))");
  const auto sink = Make(Options(schema + ".\"Odd \"\"Name\""));
  ASSERT_OK(StartSink(*sink, schema));
  ASSERT_OK(WriteEpoch(*sink, 1, Sessions(7, 1)));
  EXPECT_THAT(client.Run("SELECT num_logs, ip FROM " + schema + ".\"Odd \"\"Name\""),
              ElementsAre("7|10.0.0.1"));
}

TEST_F(PostgresSinkTest, CreateTablesMakesTheTableOnceForAllSubtasks) {
  const std::string table = UniqueName("made");
  const OptionMap options = Options(table, {{"create-tables", "true"}});
  const auto first = Make(options), second = Make(options);
  ASSERT_OK(StartSink(*first, table + "1"));
  ASSERT_OK(StartSink(*second, table + "2"));
  ASSERT_OK(WriteEpoch(*first, 1, Sessions(0, 1)));
  ASSERT_OK(WriteEpoch(*second, 1, Sessions(1, 1)));
  EXPECT_THAT(client.Run("SELECT column_name, data_type, datetime_precision FROM "
                         "information_schema.columns WHERE table_name = '" +
                         table + "' ORDER BY ordinal_position"),
              ElementsAre("ip|character varying|null",
                          "session_start|timestamp without time zone|3", "num_logs|bigint|null"));
  EXPECT_THAT(client.Run("SELECT count(*) FROM " + table), ElementsAre("2"));
}

TEST_F(PostgresSinkTest, AMissingTableIsAUserError) {
  const std::string there = NewSessionTable();
  const Error error = OpenError(Options(there + "x"));
  EXPECT_EQ(error.domain, ErrorDomain::kUser);
  EXPECT_FALSE(error.retryable);
  EXPECT_THAT(error.message, AllOf(HasSubstr(there + "x"), HasSubstr("does not exist"),
                                   HasSubstr("create-tables")));
}

TEST_F(PostgresSinkTest, EverythingThatDiffersIsListed) {
  const std::string table = NewTable(
      "ip INET, session_start TIMESTAMP(3), logs BIGINT, id BIGINT NOT NULL, "
      "made TIMESTAMP NOT NULL DEFAULT now(), serial BIGSERIAL NOT NULL");
  const Error error = OpenError(Options(table));
  EXPECT_EQ(error.domain, ErrorDomain::kUser);
  EXPECT_THAT(error.message, AllOf(HasSubstr("column 'ip' is inet, but string is written to it"),
                                   HasSubstr("no column 'num_logs'"), HasSubstr("'id' is NOT NULL"),
                                   HasSubstr("logs bigint"), Not(HasSubstr("'made'")),
                                   Not(HasSubstr("'serial'"))));
}

TEST_F(PostgresSinkTest, GeneratedColumnsAndViewsAreRefused) {
  const std::string table = NewTable(
      "ip VARCHAR, session_start TIMESTAMP(3), num_logs BIGINT GENERATED ALWAYS AS (1) STORED");
  EXPECT_THAT(OpenError(Options(table)).message, HasSubstr("'num_logs' is generated"));
  const std::string view = UniqueName("view");
  client.Run("CREATE VIEW " + view + " AS SELECT * FROM " + table);
  EXPECT_THAT(OpenError(Options(view)).message, HasSubstr("no table"));
}

TEST_F(PostgresSinkTest, ValuesThatDoNotFitAreRefusedAtTheWrite) {
  const std::string table =
      NewTable("ip VARCHAR(8), session_start TIMESTAMP(3), num_logs SMALLINT NOT NULL");
  const auto sink = Make(Options(table));
  ASSERT_OK(StartSink(*sink, table));
  const auto message = [&](const RecordBatch& batch) {
    const Status status = sink->Write(batch);
    return status ? std::string("accepted") : status.error().message;
  };
  EXPECT_THAT(message(Sessions(0, 1, "123456789")),
              AllOf(HasSubstr(table), HasSubstr("'ip'"), HasSubstr("9 characters, at most 8")));
  EXPECT_THAT(message(Sessions(0, 1, std::string_view("a\0b", 3))), HasSubstr("NUL"));
  EXPECT_THAT(message(Sessions(0, 1, "\xc3\x28")), HasSubstr("UTF-8"));
  EXPECT_THAT(message(Sessions(40'000, 1, "ok")), HasSubstr("out of range"));
  // What fits is not harmed by what did not.
  ASSERT_OK(WriteEpoch(*sink, 1, Sessions(1, 1, "12345678")));
  EXPECT_THAT(client.Run("SELECT ip FROM " + table), ElementsAre("12345678"));
}

TEST_F(PostgresSinkTest, ARefusedRowFailsTheEpochForGoodAndLeavesNothing) {
  const std::string table =
      NewTable("ip VARCHAR, session_start TIMESTAMP(3), num_logs BIGINT CHECK (num_logs < 100)");
  const auto sink = Make(Options(table));
  ASSERT_OK(StartSink(*sink, table));
  const Status status = WriteEpoch(*sink, 1, Sessions(98, 4));
  ASSERT_FALSE(status);
  EXPECT_FALSE(status.error().retryable);
  EXPECT_THAT(status.error().message, AllOf(HasSubstr(table), HasSubstr("check constraint")));
  EXPECT_THAT(client.Run("SELECT * FROM " + table), IsEmpty());
}

TEST_F(PostgresSinkTest, WrongPasswordDatabaseAndPermissionAreFinal) {
  const std::string table = NewSessionTable();
  const Error password = OpenError(Options(table, {{"password", "not-the-password"}}));
  EXPECT_FALSE(password.retryable);
  EXPECT_THAT(password.message, AllOf(HasSubstr("check 'username' and 'password'"),
                                      Not(HasSubstr("not-the-password"))));
  OptionMap without = Options(table);
  without.erase("password");
  EXPECT_FALSE(OpenError(without).retryable);
  EXPECT_FALSE(OpenError(Options(table, {{"database", "nowhere"}})).retryable);
  EXPECT_FALSE(OpenError(Options(table, {{"url", RunningPeers().postgres_url + "?sslmode=nosuch"}}))
                   .retryable);
  EXPECT_FALSE(
      OpenError(Options(table, {{"url", RunningPeers().postgres_url + "?sslmode=require"}}))
          .retryable);
  client.Run("DROP ROLE IF EXISTS reader");
  client.Run("CREATE ROLE reader LOGIN PASSWORD 'r'");
  const Error permission = OpenError(Options(table, {{"username", "reader"}, {"password", "r"}}));
  EXPECT_FALSE(permission.retryable);
  EXPECT_THAT(permission.message, HasSubstr("GRANT INSERT"));
}

TEST_F(PostgresSinkTest, AServerThatIsAwayMayComeBack) {
  const Error refused = OpenError(Options("t", {{"url", "postgresql://127.0.0.1:1/db"}}));
  EXPECT_TRUE(refused.retryable);
  EXPECT_THAT(refused.message, HasSubstr("127.0.0.1"));
  // An address that never answers ends with the time-out.
  const auto began = std::chrono::steady_clock::now();
  const Error silent =
      OpenError(Options("t", {{"url", "postgresql://192.0.2.1/db"}, {"connect-timeout", "2s"}}));
  EXPECT_TRUE(silent.retryable) << silent.message;
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(30));
}

TEST_F(PostgresSinkTest, ABackendThatIsTerminatedIsReplaced) {
  const std::string table = NewSessionTable();
  const auto sink = Make(Options(table));
  ASSERT_OK(StartSink(*sink, table));
  ASSERT_OK(WriteEpoch(*sink, 1, Sessions(0, 1)));
  client.Run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
      "'watershed " +
      table.substr(0, 12) + "%'");
  ASSERT_OK(sink->Write(Sessions(1, 1)));
  const auto segments = sink->Prepare({2});
  const Status lost = sink->Commit({2}, *segments);
  ASSERT_FALSE(lost);
  EXPECT_TRUE(lost.error().retryable) << lost.error().message;
  ASSERT_OK(sink->Commit({2}, *segments));
  EXPECT_THAT(client.Run("SELECT num_logs FROM " + table + " ORDER BY 1"), ElementsAre("0", "1"));
}

// The server is killed while it commits: the answer is lost, whether the rows are there is settled
// when it is back, and each row is there once.
TEST(PostgresSinkOutage, AnUnknownOutcomeIsSettledWhenTheServerIsBack) {
  OwnedPeer server(OwnedPeer::Kind::kPostgres);
  const std::string parameters = server.url() + "?user=watershed&password=postgres-secret";
  // A trigger holds the first commit back until the test has seen it.
  {
    PostgresClient client(parameters);
    client.Run("CREATE TABLE sessions (ip VARCHAR, session_start TIMESTAMP(3), num_logs BIGINT)");
    client.Run(
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
        "pg_advisory_xact_lock(1); RETURN NULL; END $$");
    client.Run(
        "CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON sessions DEFERRABLE INITIALLY DEFERRED FOR "
        "EACH ROW EXECUTE FUNCTION hold()");
  }
  auto sink = *MakePostgresSink({{"url", server.url()},
                                 {"username", "watershed"},
                                 {"password", "postgres-secret"},
                                 {"table-name", "sessions"}},
                                SessionSchema(), {.job_name = "test", .operator_id = "sessions"});
  ASSERT_OK(StartSink(*sink, "lineage"));
  ASSERT_OK(sink->Write(Sessions(0, 3)));
  const auto segments = sink->Prepare({1});
  ASSERT_OK(segments);
  {
    PostgresClient locker(parameters);
    locker.Run("SELECT pg_advisory_lock(1)");
    std::thread killer([&] {
      PostgresClient watcher(parameters);
      while (watcher
                 .Run("SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND "
                      "wait_event = 'advisory'")
                 .empty()) {
      }
      server.Kill();
    });
    const Status lost = sink->Commit({1}, *segments);
    killer.join();
    ASSERT_FALSE(lost);
    EXPECT_TRUE(lost.error().retryable) << lost.error().message;
    EXPECT_THAT(lost.error().message, HasSubstr("not known"));
  }
  const Status away = sink->Commit({1}, *segments);
  ASSERT_FALSE(away);
  EXPECT_TRUE(away.error().retryable) << away.error().message;
  server.Start();
  ASSERT_OK(sink->Commit({1}, *segments));
  PostgresClient client(parameters);
  EXPECT_THAT(client.Run("SELECT num_logs FROM sessions ORDER BY 1"), ElementsAre("0", "1", "2"));
}

// The other half: the rows were committed, only the answer was lost.
TEST_F(PostgresSinkTest, RowsWhoseCommitWasNotAnsweredAreNotWrittenTwice) {
  LostAnswerProxy proxy(RunningPeers().postgres_host, RunningPeers().postgres_port);
  const std::string table = NewSessionTable();
  const auto sink =
      Make(Options(table, {{"url", fmt::format("postgresql://127.0.0.1:{}/{}", proxy.port(),
                                               RunningPeers().postgres_db)}}));
  ASSERT_OK(StartSink(*sink, table));
  ASSERT_OK(sink->Write(Sessions(0, 3)));
  const auto segments = sink->Prepare({1});
  proxy.LoseAnswerTo("COMMIT");
  const Status lost = sink->Commit({1}, *segments);
  ASSERT_FALSE(lost);
  EXPECT_TRUE(lost.error().retryable) << lost.error().message;
  EXPECT_TRUE(proxy.lost_one());
  proxy.Resume();
  ASSERT_OK(sink->Commit({1}, *segments));
  ASSERT_OK(WriteEpoch(*sink, 2, Sessions(3, 1)));
  EXPECT_THAT(client.Run("SELECT num_logs FROM " + table + " ORDER BY 1"),
              ElementsAre("0", "1", "2", "3"));
}

TEST_F(PostgresSinkTest, AMillionRowsThroughput) {
  const std::string table = NewSessionTable();
  const auto sink = Make(Options(table));
  ASSERT_OK(StartSink(*sink, table));
  const auto began = std::chrono::steady_clock::now();
  for (int64_t epoch = 1; epoch <= 10; ++epoch) {
    for (int64_t batch = 0; batch < 100; ++batch) {
      ASSERT_OK(sink->Write(Sessions((epoch - 1) * 100'000 + batch * 1000, 1000)));
    }
    const auto segments = sink->Prepare({epoch});
    ASSERT_OK(sink->Commit({epoch}, *segments));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  EXPECT_THAT(client.Run("SELECT count(*), sum(num_logs) FROM " + table),
              ElementsAre("1000000|499999500000"));
  std::printf("1,000,000 rows of 3 columns in 10 epochs: %.0f rows/s\n", 1e6 / took.count());
}

}  // namespace
}  // namespace watershed::test
