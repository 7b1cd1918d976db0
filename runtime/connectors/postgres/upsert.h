// Rows that replace those with their primary key: copied into a temporary table first, as COPY
// itself knows only how to append.
#pragma once

#include <string>

#include "runtime/connectors/postgres/connection.h"
#include "runtime/connectors/postgres/options.h"
#include "runtime/connectors/postgres/table.h"
#include "runtime/types/result.h"

namespace watershed {

struct UpsertStatements {
  std::string create_stage;  // once a session
  std::string copy;          // into it
  std::string merge;  // of rows of one key the last one; empties it with the transaction's end
};

// A user error if the table has no primary key, or one with columns that are not written.
Result<UpsertStatements> MakeUpsertStatements(const PostgresConnection& connection,
                                              const PostgresSinkOptions& options,
                                              const TargetTable& table);

}  // namespace watershed
