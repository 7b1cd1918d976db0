#include "runtime/connectors/postgres/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <map>

#include "runtime/connectors/option_values.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, ResultDeleter>;

constexpr size_t kCopyChunkBytes = 256 << 10;
// The signature, no flags, no header extension; the trailer is a field count of -1.
constexpr std::string_view kCopyHeader("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr std::string_view kCopyTrailer("\xff\xff", 2);

std::string SqlStateOf(const PGresult* result) {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == nullptr ? "" : state;
}

// "FATAL:  28P01: password authentication failed …": verbose messages carry the code in front, in
// every language of the server.
std::string SqlStateIn(std::string_view message) {
  for (size_t i = 0; i + 8 < message.size(); ++i) {
    if (message.substr(i, 3) != ":  " || message[i + 8] != ':') continue;
    const std::string_view code = message.substr(i + 3, 5);
    const bool is_code = std::all_of(code.begin(), code.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    });
    if (is_code) return std::string(code);
  }
  return "";
}

// libpq ends messages with a new line and, when verbose, adds the server's source location.
std::string Tidy(std::string_view message) {
  const size_t location = message.find("\nLOCATION:");
  std::string text(Trim(message.substr(0, location)));
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::erase(text, '\t');
  return text;
}

std::string_view AdviceFor(std::string_view sqlstate, std::string_view message) {
  if (sqlstate == "28P01" || message.find("no password supplied") != std::string_view::npos) {
    return "; check 'username' and 'password'";
  }
  if (sqlstate == "28000") return "; check 'username' and the server's pg_hba.conf";
  if (sqlstate == "3D000") return "; check the database's name in 'url' or 'database'";
  if (sqlstate == "53300") return "; raise max_connections or lower the sink's parallelism";
  if (!sqlstate.empty()) return "";
  if (message.find("translate host name") != std::string_view::npos) {
    return "; check the host in 'url'";
  }
  if (message.find("refused") != std::string_view::npos) {
    return "; check that PostgreSQL runs there, host and port";
  }
  return "";
}

Error MakeError(const std::string& where, std::string_view doing, const std::string& sqlstate,
                std::string_view message) {
  // What the client itself refuses for good has no SQLSTATE.
  const bool refused_here = message.find("no password supplied") != std::string_view::npos ||
                            message.find("certificate") != std::string_view::npos ||
                            message.find("does not support SSL") != std::string_view::npos;
  Error error;
  error.domain = ErrorDomain::kExternal;
  error.retryable = IsTransientSqlState(sqlstate) && !refused_here;
  error.message =
      fmt::format("{} ({}): {}{}", doing, where, Tidy(message), AdviceFor(sqlstate, message));
  return error;
}

// Waits until the connection stands, failed, or the deadline has passed.
PostgresPollingStatusType FinishConnecting(PGconn* connection, steady_clock::time_point deadline) {
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) break;
    pollfd descriptor{
        .fd = PQsocket(connection),
        .events = static_cast<int16_t>(status == PGRES_POLLING_READING ? POLLIN : POLLOUT),
        .revents = 0};
    if (poll(&descriptor, 1, static_cast<int>(left.count())) > 0)
      status = PQconnectPoll(connection);
  }
  return status;
}

std::map<std::string, std::string> ConnectionParameters(const PostgresSinkOptions& options,
                                                        const std::string& application_name) {
  std::map<std::string, std::string> parameters = {
      {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "30000"},
  };
  for (const auto& [name, value] : options.url.parameters) parameters[name] = value;
  const auto set = [&](const char* name, const std::string& value) {
    if (!value.empty()) parameters[name] = value;
  };
  set("host", options.url.host);
  set("port", options.url.port);
  set("dbname", options.url.database);
  set("user", options.url.user);
  set("password", options.url.password);
  set("application_name", application_name.substr(0, 63));
  set("client_encoding", "UTF8");
  return parameters;
}

std::vector<const char*> PointersTo(const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  return values;
}

void IgnoreNotice(void*, const PGresult*) {}

}  // namespace

bool IsTransientSqlState(std::string_view sqlstate) {
  if (sqlstate.empty()) return true;
  constexpr std::array<std::string_view, 3> kClasses = {"08", "53", "58"};
  constexpr std::array<std::string_view, 9> kCodes = {
      "57P01", "57P02", "57P03",           // shutting down, crashed, starting up
      "57014",                             // cancelled by statement_timeout or a person
      "40001", "40P01", "55P03", "55006",  // serialization, deadlock, lock, in use
      "25006",                             // a standby, until it is promoted
  };
  return std::find(kClasses.begin(), kClasses.end(), sqlstate.substr(0, 2)) != kClasses.end() ||
         std::find(kCodes.begin(), kCodes.end(), sqlstate) != kCodes.end();
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::Connect(
    const PostgresSinkOptions& options, const std::string& application_name) {
  const std::map<std::string, std::string> parameters =
      ConnectionParameters(options, application_name);
  std::vector<const char*> names, values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  const std::string where = options.Describe();
  std::unique_ptr<PostgresConnection> connection(
      new PostgresConnection(PQconnectStartParams(names.data(), values.data(), 0), where));
  PGconn* raw = connection->connection_.get();
  if (raw == nullptr) return InternalError("libpq is out of memory");
  PQsetErrorVerbosity(raw, PQERRORS_VERBOSE);
  PQsetNoticeReceiver(raw, IgnoreNotice, nullptr);
  const bool refused_at_once = PQstatus(raw) == CONNECTION_BAD;
  const auto status = refused_at_once
                          ? PGRES_POLLING_FAILED
                          : FinishConnecting(raw, steady_clock::now() + options.connect_timeout);
  constexpr std::string_view kDoing = "cannot connect to PostgreSQL";
  if (status == PGRES_POLLING_FAILED) {
    const std::string message = PQerrorMessage(raw);
    // Unknown connection options come without a socket ever being opened: the job file is wrong.
    if (message.starts_with("invalid "))
      return UserError("{} ({}): {}", kDoing, where, Tidy(message));
    return tl::make_unexpected(MakeError(where, kDoing, SqlStateIn(message), message));
  }
  if (status != PGRES_POLLING_OK) {
    return TransientError("{} ({}): no answer within {} s; check host, port and firewall", kDoing,
                          where, options.connect_timeout.count());
  }
  PQsetErrorVerbosity(raw, PQERRORS_DEFAULT);
  return connection;
}

Status PostgresConnection::Execute(const char* sql) {
  const PgResult result(PQexec(connection_.get(), sql));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return Ok();
  return tl::make_unexpected(MakeError(where_, "PostgreSQL refused a statement",
                                       SqlStateOf(result.get()),
                                       PQerrorMessage(connection_.get())));
}

Result<QueryRows> PostgresConnection::Query(const char* sql,
                                            const std::vector<std::string>& parameters) {
  const std::vector<const char*> values = PointersTo(parameters);
  const PgResult result(PQexecParams(connection_.get(), sql, static_cast<int>(values.size()),
                                     nullptr, values.data(), nullptr, nullptr, 0));
  return RowsOf(result.get());
}

Result<QueryRows> PostgresConnection::QueryPatiently(const char* sql,
                                                     const std::vector<std::string>& parameters,
                                                     milliseconds patience,
                                                     const std::function<void()>& on_wait) {
  const std::vector<const char*> values = PointersTo(parameters);
  PGconn* raw = connection_.get();
  if (PQsendQueryParams(raw, sql, static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                        nullptr, 0) != 1) {
    return RowsOf(nullptr);
  }
  while (PQisBusy(raw) == 1) {
    pollfd descriptor{.fd = PQsocket(raw), .events = POLLIN, .revents = 0};
    const int ready = poll(&descriptor, 1, static_cast<int>(patience.count()));
    if (ready == 0) on_wait();
    if (ready > 0 && PQconsumeInput(raw) != 1) break;
  }
  const PgResult result(PQgetResult(raw));
  while (const PgResult more{PQgetResult(raw)}) {
  }
  return RowsOf(result.get());
}

Result<QueryRows> PostgresConnection::RowsOf(const PGresult* result) {
  if (PQresultStatus(result) != PGRES_TUPLES_OK) {
    return tl::make_unexpected(MakeError(where_, "PostgreSQL refused a query", SqlStateOf(result),
                                         PQerrorMessage(connection_.get())));
  }
  QueryRows rows(static_cast<size_t>(PQntuples(result)));
  for (size_t row = 0; row < rows.size(); ++row) {
    for (int column = 0; column < PQnfields(result); ++column) {
      rows[row].emplace_back(PQgetvalue(result, static_cast<int>(row), column));
    }
  }
  return rows;
}

Status PostgresConnection::CopyIn(const std::string& copy_statement, std::string_view tuples) {
  {
    const PgResult result(PQexec(connection_.get(), copy_statement.c_str()));
    if (PQresultStatus(result.get()) != PGRES_COPY_IN) {
      return tl::make_unexpected(MakeError(where_, "PostgreSQL refused COPY",
                                           SqlStateOf(result.get()),
                                           PQerrorMessage(connection_.get())));
    }
  }
  const auto put = [this](std::string_view bytes) {
    while (!bytes.empty()) {
      const std::string_view chunk = bytes.substr(0, kCopyChunkBytes);
      if (PQputCopyData(connection_.get(), chunk.data(), static_cast<int>(chunk.size())) != 1) {
        return false;
      }
      bytes.remove_prefix(chunk.size());
    }
    return true;
  };
  const bool sent = put(kCopyHeader) && put(tuples) && put(kCopyTrailer) &&
                    PQputCopyEnd(connection_.get(), nullptr) == 1;
  Status status = sent ? Ok() : CopyFailure("PostgreSQL did not take the rows");
  while (const PgResult result{PQgetResult(connection_.get())}) {
    if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) continue;
    status = tl::make_unexpected(MakeError(where_, "PostgreSQL refused the rows",
                                           SqlStateOf(result.get()),
                                           PQresultErrorMessage(result.get())));
    // A broken connection would give the same result for ever.
    if (PQresultStatus(result.get()) == PGRES_COPY_IN) break;
  }
  return status;
}

Status PostgresConnection::CopyFailure(std::string_view doing) {
  return tl::make_unexpected(MakeError(where_, doing, "", PQerrorMessage(connection_.get())));
}

std::string PostgresConnection::Quote(const std::string& identifier) const {
  char* quoted = PQescapeIdentifier(connection_.get(), identifier.data(), identifier.size());
  if (quoted == nullptr) return "\"\"";  // not UTF-8: no table has that name
  std::string text(quoted);
  PQfreemem(quoted);
  return text;
}

}  // namespace watershed
