// What tests of the PostgreSQL sink share: a real server, tables of sessions, a sink for them.
#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/connectors/postgres/sink.h"
#include "tests/support/assert_ok.h"
#include "tests/support/peers.h"

namespace watershed::test {

// A plain client, to set tables up and to look at them.
class PostgresClient {
 public:
  explicit PostgresClient(const std::string& parameters)
      : connection_(PQconnectdb(parameters.c_str())) {
    EXPECT_EQ(PQstatus(connection_), CONNECTION_OK) << PQerrorMessage(connection_);
  }
  ~PostgresClient() { PQfinish(connection_); }
  PostgresClient(const PostgresClient&) = delete;
  PostgresClient& operator=(const PostgresClient&) = delete;

  // Rows as "a|b|c", NULL as "null".
  std::vector<std::string> Run(const std::string& sql) {
    PGresult* result = PQexec(connection_, sql.c_str());
    EXPECT_THAT(PQresultStatus(result), testing::AnyOf(PGRES_TUPLES_OK, PGRES_COMMAND_OK))
        << sql << ": " << PQerrorMessage(connection_);
    std::vector<std::string> rows;
    for (int row = 0; row < PQntuples(result); ++row) {
      std::string text;
      for (int column = 0; column < PQnfields(result); ++column) {
        if (column > 0) text += '|';
        text += PQgetisnull(result, row, column) ? "null" : PQgetvalue(result, row, column);
      }
      rows.push_back(std::move(text));
    }
    PQclear(result);
    return rows;
  }

 private:
  PGconn* connection_;
};

inline SchemaPtr SessionSchema() {
  return std::make_shared<Schema>(std::vector<Field>{{"ip", {TypeKind::kString}},
                                                     {"session_start", {TypeKind::kTimestampMs}},
                                                     {"num_logs", {TypeKind::kInt64}}});
}

inline RecordBatch Sessions(int64_t first, int64_t count, std::string_view ip = "10.0.0.1") {
  BatchBuilder builder(SessionSchema());
  for (int64_t i = first; i < first + count; ++i) {
    builder.column(0).AppendString(ip);
    builder.column(1).AppendInt64(1'706'688'000'123 + i);
    builder.column(2).AppendInt64(i);
    builder.FinishRow();
  }
  return builder.Finish();
}

// As the engine does it: opens the sink and takes writers over; their markers.
inline Result<std::vector<WriterMarker>> FenceSink(Sink& sink, const std::string& lineage,
                                                   int32_t attempt = 1,
                                                   const std::vector<int32_t>& writers = {0}) {
  WS_RETURN_IF_ERROR(sink.Open());
  std::vector<WriterId> ids;
  ids.reserve(writers.size());
  for (const int32_t writer : writers) ids.push_back({lineage, "sessions", writer});
  return sink.Fence(ids, {attempt});
}
inline Status StartSink(Sink& sink, const std::string& lineage) {
  WS_RETURN_IF_ERROR(FenceSink(sink, lineage));
  return Ok();
}

class PostgresSinkTest : public testing::Test {
 protected:
  OptionMap Options(const std::string& table, const OptionMap& more = {}) const {
    OptionMap options = {{"url", RunningPeers().postgres_url},
                         {"username", RunningPeers().postgres_user},
                         {"password", RunningPeers().postgres_password},
                         {"table-name", table}};
    for (const auto& [name, value] : more) options[name] = value;
    return options;
  }
  static std::unique_ptr<Sink> Make(const OptionMap& options, SchemaPtr schema = SessionSchema(),
                                    const std::string& job = "job") {
    auto sink =
        MakePostgresSink(options, std::move(schema),
                         {.job_name = "test", .job = JobId{job}, .operator_id = "sessions"});
    EXPECT_TRUE(sink) << sink.error().message;
    return sink ? std::move(*sink) : nullptr;
  }
  // A new table with these columns.
  std::string NewTable(const std::string& columns) {
    const std::string table = UniqueName("sessions");
    client.Run("CREATE TABLE " + table + " (" + columns + ")");
    return table;
  }
  std::string NewSessionTable() {
    return NewTable("ip VARCHAR, session_start TIMESTAMP(3), num_logs BIGINT");
  }
  static Status WriteEpoch(Sink& sink, int64_t epoch, const RecordBatch& batch) {
    WS_RETURN_IF_ERROR(sink.Write(batch));
    WS_ASSIGN_OR_RETURN(const auto segments, sink.Prepare({epoch}));
    return sink.Commit({epoch}, segments);
  }
  Error OpenError(const OptionMap& options, SchemaPtr schema = SessionSchema()) {
    const Status status = Make(options, std::move(schema))->Open();
    EXPECT_FALSE(status);
    return status ? Error{} : status.error();
  }

  PostgresClient client{RunningPeers().PostgresConnectionString()};
};

}  // namespace watershed::test
