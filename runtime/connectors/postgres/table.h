// The table a sink writes to, as its server describes it, and whether rows fit it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/connectors/postgres/connection.h"
#include "runtime/connectors/postgres/options.h"
#include "runtime/types/result.h"
#include "runtime/types/schema.h"

namespace watershed {

// How a value is written in COPY's binary form.
enum class CopyEncoding : uint8_t {
  kBool,
  kInt2,
  kInt4,
  kInt8,
  kFloat4,
  kFloat8,
  kTimestamp,  // with or without time zone: microseconds since 2000-01-01, UTC
  kText,       // text, varchar, char
  kBytea,
};

struct TargetColumn {
  std::string name;
  std::string sql_type;  // "character varying(10)", for messages
  CopyEncoding encoding = CopyEncoding::kText;
  bool not_null = false;
  int32_t max_characters = 0;  // of varchar(n) and char(n); 0 = no limit
};

struct TargetTable {
  std::string qualified_name;            // quoted, for statements
  std::string schema;                    // that it is in
  std::vector<std::string> primary_key;  // its columns; empty: it has none
  std::vector<TargetColumn> columns;     // those written, in the order of the rows' schema
  // COPY "s"."t" ("a", "b") FROM STDIN (FORMAT binary)
  std::string CopyStatement(const PostgresConnection& connection) const;
};

// Finds the table (or creates it, if the options say so) and checks that every field of the schema
// has a column that can take it and that no other column must be given. A user error lists all that
// differs.
Result<TargetTable> DescribeTable(PostgresConnection& connection,
                                  const PostgresSinkOptions& options, const Schema& schema);

// Of a CREATE … IF NOT EXISTS: somebody else has just made it, so that it is there.
bool WasCreatedMeanwhile(const Error& error);

// The statement that `create-tables: true` runs.
std::string CreateTableStatement(const PostgresConnection& connection,
                                 const PostgresSinkOptions& options, const Schema& schema);

}  // namespace watershed
