// How a sink's sessions are called in PostgreSQL, and how those that a dead task has left behind
// are ended: a client that vanished in the middle of a COPY keeps its locks until the server
// notices.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runtime/connectors/postgres/connection.h"
#include "runtime/connectors/postgres/options.h"
#include "runtime/connectors/sink.h"
#include "runtime/types/ids.h"
#include "runtime/types/result.h"

namespace watershed {

struct PostgresSession {
  WriterId writer;
  Attempt attempt;

  // As application_name, of which PostgreSQL keeps 63 bytes:
  // "watershed <lineage, 12 digits> w<writer> a<attempt> <sink>".
  std::string ApplicationName() const;
  std::string Prefix() const;         // without the sink: no other session's name begins so
  std::string LineagePrefix() const;  // of all sessions of the lineage
};

// Runs a query that may have to wait for a row. Sessions that it waits for are ended if they are of
// the same lineage and of an earlier attempt, or were this one's own before it connected again:
// nobody is behind them any more, or somebody who must not write.
Result<QueryRows> QueryBeforeOlderSessions(PostgresConnection& connection,
                                           const PostgresSinkOptions& options,
                                           const PostgresSession& session, const char* sql,
                                           const std::vector<std::string>& parameters);

}  // namespace watershed
