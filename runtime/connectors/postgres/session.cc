#include "runtime/connectors/postgres/session.h"

#include <fmt/format.h>

#include "runtime/logging/log.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kPatience{500};
constexpr size_t kLineageDigits = 12;

constexpr const char* kEndOlder =
    "SELECT a.pid::text, a.application_name, pg_terminate_backend(a.pid)::text "
    "FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids($1::int)) "
    "AND starts_with(a.application_name, $2) "
    "AND (substring(a.application_name from '^watershed [^ ]+ w[0-9]+ a([0-9]+) ')::int < $3::int "
    "OR starts_with(a.application_name, $4))";

void EndOlder(int waiting_pid, const PostgresSinkOptions& options, const PostgresSession& session) {
  auto watcher = PostgresConnection::Connect(options, "watershed watcher");
  if (!watcher) return;  // asked again: it still waits
  const auto ended =
      (*watcher)->Query(kEndOlder, {std::to_string(waiting_pid), session.LineagePrefix(),
                                    std::to_string(session.attempt.value), session.Prefix()});
  if (!ended) {
    LogWarn("sink '{}': cannot see who holds its progress in PostgreSQL: {}", session.writer.sink,
            ended.error().message);
    return;
  }
  for (const auto& row : *ended) {
    LogWarn("sink '{}': ended PostgreSQL session {} ('{}') of an earlier attempt, which held a row",
            session.writer.sink, row[0], row[1]);
  }
}

}  // namespace

std::string PostgresSession::LineagePrefix() const {
  return fmt::format("watershed {} w", writer.lineage.substr(0, kLineageDigits));
}

std::string PostgresSession::Prefix() const {
  return fmt::format("{}{} a{} ", LineagePrefix(), writer.writer, attempt.value);
}

std::string PostgresSession::ApplicationName() const { return Prefix() + writer.sink; }

Result<QueryRows> QueryBeforeOlderSessions(PostgresConnection& connection,
                                           const PostgresSinkOptions& options,
                                           const PostgresSession& session, const char* sql,
                                           const std::vector<std::string>& parameters) {
  return connection.QueryPatiently(sql, parameters, kPatience,
                                   [&] { EndOlder(connection.backend_pid(), options, session); });
}

}  // namespace watershed
