#include "runtime/connectors/postgres/upsert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace watershed {
namespace {

constexpr const char* kStage = "pg_temp.watershed_stage";
constexpr const char* kOrder = "watershed_order";

}  // namespace

Result<UpsertStatements> MakeUpsertStatements(const PostgresConnection& connection,
                                              const PostgresSinkOptions& options,
                                              const TargetTable& table) {
  if (table.primary_key.empty()) {
    return UserError(
        "{} has no primary key, by which delivery: upsert could replace rows: add one, or choose "
        "delivery: exactly-once, which needs none",
        options.Describe());
  }
  std::vector<std::string> columns, key, updates;
  for (const TargetColumn& column : table.columns) {
    columns.push_back(connection.Quote(column.name));
    if (std::ranges::find(table.primary_key, column.name) == table.primary_key.end()) {
      updates.push_back(fmt::format("{0} = excluded.{0}", columns.back()));
    }
  }
  for (const std::string& name : table.primary_key) {
    key.push_back(connection.Quote(name));
    if (std::ranges::find(columns, key.back()) != columns.end()) continue;
    return UserError(
        "column '{}' of the primary key of {} is not written: delivery: upsert needs it", name,
        options.Describe());
  }
  const std::string all = fmt::format("{}", fmt::join(columns, ", "));
  const std::string keys = fmt::format("{}", fmt::join(key, ", "));
  UpsertStatements statements;
  statements.create_stage = fmt::format(
      "CREATE TEMPORARY TABLE watershed_stage ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO "
      "DATA; ALTER TABLE {} ADD COLUMN {} bigint GENERATED ALWAYS AS IDENTITY",
      all, table.qualified_name, kStage, kOrder);
  statements.copy = fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", kStage, all);
  statements.merge = fmt::format(
      "INSERT INTO {} ({}) SELECT DISTINCT ON ({}) {} FROM {} ORDER BY {}, {} DESC "
      "ON CONFLICT ({}) DO {}",
      table.qualified_name, all, keys, all, kStage, keys, kOrder, keys,
      updates.empty() ? std::string("NOTHING")
                      : fmt::format("UPDATE SET {}", fmt::join(updates, ", ")));
  return statements;
}

}  // namespace watershed
