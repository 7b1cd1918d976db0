// A PostgreSQL connection by libpq, with errors by cause. libpq and not libpqxx, because COPY in
// binary form and SQLSTATEs of failed connections are only to be had there.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/connectors/postgres/options.h"
#include "runtime/types/result.h"

namespace watershed {

// Rows of a query in text form; NULL is the empty string.
using QueryRows = std::vector<std::vector<std::string>>;

// One thread at a time.
class PostgresConnection {
 public:
  // Errors are retryable where waiting may help (refused, starting up, too many connections) and
  // final where it cannot (password, database, permission, TLS). Never blocks much past the
  // time-out; finding the host's address may.
  static Result<std::unique_ptr<PostgresConnection>> Connect(const PostgresSinkOptions& options,
                                                             const std::string& application_name);

  // One or more statements without parameters and without a result that matters.
  Status Execute(const char* sql);
  Result<QueryRows> Query(const char* sql, const std::vector<std::string>& parameters);
  // The same; after each `patience` without an answer `on_wait` may do something about it.
  Result<QueryRows> QueryPatiently(const char* sql, const std::vector<std::string>& parameters,
                                   std::chrono::milliseconds patience,
                                   const std::function<void()>& on_wait);
  // COPY … FROM STDIN (FORMAT binary), with header and trailer put around the tuples.
  Status CopyIn(const std::string& copy_statement, std::string_view tuples);
  int backend_pid() const { return PQbackendPID(connection_.get()); }
  // A quoted identifier, to be put into a statement.
  std::string Quote(const std::string& identifier) const;

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  explicit PostgresConnection(PGconn* connection, std::string where)
      : connection_(connection), where_(std::move(where)) {}
  Status CopyFailure(std::string_view doing);
  Result<QueryRows> RowsOf(const PGresult* result);

  std::unique_ptr<PGconn, Closer> connection_;
  std::string where_;  // for messages
};

// Whether trying again later may succeed, by SQLSTATE; "" = the connection broke without one.
bool IsTransientSqlState(std::string_view sqlstate);

}  // namespace watershed
