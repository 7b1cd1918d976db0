#include "runtime/connectors/postgres/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace watershed {
namespace {

// Object ids of built-in types: fixed in PostgreSQL's catalogue (pg_type.dat).
enum TypeOid : int64_t {
  kOidBool = 16,
  kOidBytea = 17,
  kOidInt8 = 20,
  kOidInt2 = 21,
  kOidInt4 = 23,
  kOidText = 25,
  kOidFloat4 = 700,
  kOidFloat8 = 701,
  kOidBpchar = 1042,
  kOidVarchar = 1043,
  kOidTimestamp = 1114,
  kOidTimestamptz = 1184,
};

std::optional<CopyEncoding> EncodingFor(TypeKind kind, int64_t oid) {
  switch (kind) {
    case TypeKind::kBool:
      if (oid == kOidBool) return CopyEncoding::kBool;
      break;
    case TypeKind::kInt32:
    case TypeKind::kInt64:
      if (oid == kOidInt2) return CopyEncoding::kInt2;
      if (oid == kOidInt4) return CopyEncoding::kInt4;
      if (oid == kOidInt8) return CopyEncoding::kInt8;
      break;
    case TypeKind::kDouble:
      if (oid == kOidFloat4) return CopyEncoding::kFloat4;
      if (oid == kOidFloat8) return CopyEncoding::kFloat8;
      break;
    case TypeKind::kTimestampMs:
      if (oid == kOidTimestamp || oid == kOidTimestamptz) return CopyEncoding::kTimestamp;
      break;
    case TypeKind::kString:
      if (oid == kOidText || oid == kOidVarchar || oid == kOidBpchar) return CopyEncoding::kText;
      break;
    case TypeKind::kBytes:
      if (oid == kOidBytea) return CopyEncoding::kBytea;
      break;
  }
  return std::nullopt;
}

std::string_view TypesFor(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBool:
      return "boolean";
    case TypeKind::kInt32:
    case TypeKind::kInt64:
      return "bigint, integer or smallint";
    case TypeKind::kDouble:
      return "double precision or real";
    case TypeKind::kTimestampMs:
      return "timestamp(3) or timestamptz(3)";
    case TypeKind::kString:
      return "varchar, text or char";
    case TypeKind::kBytes:
      return "bytea";
  }
  return "";
}

std::string_view DdlType(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBool:
      return "BOOLEAN";
    case TypeKind::kInt32:
      return "INTEGER";
    case TypeKind::kInt64:
      return "BIGINT";
    case TypeKind::kDouble:
      return "DOUBLE PRECISION";
    case TypeKind::kTimestampMs:
      return "TIMESTAMP(3)";
    case TypeKind::kString:
      return "VARCHAR";
    case TypeKind::kBytes:
      return "BYTEA";
  }
  return "";
}

std::string QualifiedName(const PostgresConnection& connection,
                          const PostgresSinkOptions& options) {
  const std::string table = connection.Quote(options.table);
  return options.schema.empty() ? table : connection.Quote(options.schema) + "." + table;
}

struct CatalogColumn {
  std::string name;
  std::string sql_type;
  int64_t type_oid = 0;
  int32_t type_modifier = -1;
  bool not_null = false;
  bool filled_by_itself = false;  // a default, an identity or a generated column
  bool refuses_values = false;    // generated always
};

Result<std::optional<std::string>> FindTable(PostgresConnection& connection,
                                             const std::string& qualified_name,
                                             const PostgresSinkOptions& options) {
  WS_ASSIGN_OR_RETURN(const QueryRows found,
                      connection.Query("SELECT c.oid::text, c.relkind::text, "
                                       "has_table_privilege(c.oid, 'INSERT')::text, current_user "
                                       "FROM pg_class c WHERE c.oid = to_regclass($1)",
                                       {qualified_name}));
  if (found.empty()) return std::optional<std::string>();
  const std::string& kind = found[0][1];
  if (kind != "r" && kind != "p" && kind != "f") {
    return UserError("'{}' is no table that rows can be copied into; it is in {}", options.table,
                     options.Describe());
  }
  if (found[0][2] != "true") {
    return UserError("user '{}' may not insert into {}: GRANT INSERT ON {} TO \"{}\"", found[0][3],
                     options.Describe(), qualified_name, found[0][3]);
  }
  return std::optional<std::string>(found[0][0]);
}

Status MissingTable(PostgresConnection& connection, const PostgresSinkOptions& options) {
  std::vector<std::string> names;
  const auto rows = connection.Query(
      "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
      "WHERE c.relkind IN ('r', 'p') AND CASE WHEN $1 = '' THEN n.nspname = ANY "
      "(current_schemas(false)) ELSE n.nspname = $1 END ORDER BY 1 LIMIT 10",
      {options.schema});
  if (rows) {
    for (const auto& row : *rows) names.push_back(row[0]);
  }
  return UserError("{} does not exist{}; create it, or write create-tables: true",
                   options.Describe(),
                   names.empty() ? "" : fmt::format(" (there are: {})", fmt::join(names, ", ")));
}

Result<std::string> ReadSchema(PostgresConnection& connection, const std::string& table_oid) {
  WS_ASSIGN_OR_RETURN(const QueryRows rows,
                      connection.Query("SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON "
                                       "n.oid = c.relnamespace WHERE c.oid = $1::oid",
                                       {table_oid}));
  return rows.empty() ? std::string("public") : rows[0][0];
}

Result<std::vector<std::string>> ReadPrimaryKey(PostgresConnection& connection,
                                                const std::string& table_oid) {
  WS_ASSIGN_OR_RETURN(
      const QueryRows rows,
      connection.Query("SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = "
                       "i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = $1::oid AND "
                       "i.indisprimary ORDER BY a.attnum",
                       {table_oid}));
  std::vector<std::string> columns;
  for (const auto& row : rows) columns.push_back(row[0]);
  return columns;
}

Result<std::vector<CatalogColumn>> ReadColumns(PostgresConnection& connection,
                                               const std::string& table_oid) {
  WS_ASSIGN_OR_RETURN(
      const QueryRows rows,
      connection.Query(
          "SELECT attname, format_type(atttypid, atttypmod), atttypid::bigint, "
          "atttypmod, attnotnull::text, (atthasdef OR attidentity <> '')::text, "
          "(attgenerated <> '' OR attidentity = 'a')::text FROM pg_attribute "
          "WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
          {table_oid}));
  std::vector<CatalogColumn> columns;
  for (const auto& row : rows) {
    columns.push_back({.name = row[0],
                       .sql_type = row[1],
                       .type_oid = std::atoll(row[2].c_str()),
                       .type_modifier = std::atoi(row[3].c_str()),
                       .not_null = row[4] == "true",
                       .filled_by_itself = row[5] == "true",
                       .refuses_values = row[6] == "true"});
  }
  return columns;
}

TargetColumn ToTarget(const CatalogColumn& column, CopyEncoding encoding) {
  TargetColumn target{.name = column.name,
                      .sql_type = column.sql_type,
                      .encoding = encoding,
                      .not_null = column.not_null};
  // varchar(n) and char(n) keep n + 4 as their modifier.
  const bool has_length = column.type_oid == kOidVarchar || column.type_oid == kOidBpchar;
  if (has_length && column.type_modifier > 4) target.max_characters = column.type_modifier - 4;
  return target;
}

Result<std::vector<TargetColumn>> MatchColumns(const std::vector<CatalogColumn>& catalog,
                                               const PostgresSinkOptions& options,
                                               const Schema& schema) {
  std::vector<TargetColumn> targets;
  std::vector<std::string> problems;
  for (const Field& field : schema.fields()) {
    const auto column = std::find_if(catalog.begin(), catalog.end(),
                                     [&](const CatalogColumn& c) { return c.name == field.name; });
    if (column == catalog.end()) {
      problems.push_back(fmt::format("it has no column '{}'", field.name));
      continue;
    }
    const auto encoding = EncodingFor(field.type.kind, column->type_oid);
    if (column->refuses_values) {
      problems.push_back(fmt::format("column '{}' is generated and takes no values", field.name));
    } else if (!encoding) {
      problems.push_back(fmt::format("column '{}' is {}, but {} is written to it, which needs {}",
                                     field.name, column->sql_type, NameOf(field.type),
                                     TypesFor(field.type.kind)));
    } else {
      targets.push_back(ToTarget(*column, *encoding));
    }
  }
  for (const CatalogColumn& column : catalog) {
    if (column.not_null && !column.filled_by_itself && !schema.IndexOf(column.name)) {
      problems.push_back(
          fmt::format("column '{}' is NOT NULL without a default and is not written", column.name));
    }
  }
  if (problems.empty()) return targets;
  std::vector<std::string> present;
  present.reserve(catalog.size());
  for (const CatalogColumn& column : catalog) {
    present.push_back(fmt::format("{} {}", column.name, column.sql_type));
  }
  return UserError("{} does not fit: {}. It has: {}", options.Describe(), fmt::join(problems, "; "),
                   fmt::join(present, ", "));
}

Status RequireUtf8(PostgresConnection& connection, const PostgresSinkOptions& options) {
  WS_ASSIGN_OR_RETURN(const QueryRows rows, connection.Query("SHOW server_encoding", {}));
  if (rows[0][0] == "UTF8" || rows[0][0] == "SQL_ASCII") return Ok();
  return UserError(
      "the database of {} stores text as {}, which cannot hold every character: use a "
      "database with encoding UTF8",
      options.Describe(), rows[0][0]);
}

}  // namespace

// Several subtasks may create it at once: whoever comes second sees one of these and finds it made.
bool WasCreatedMeanwhile(const Error& error) {
  return error.message.find("already exists") != std::string::npos ||
         error.message.find("pg_type_typname_nsp_index") != std::string::npos ||
         error.message.find("pg_class_relname_nsp_index") != std::string::npos;
}

std::string TargetTable::CopyStatement(const PostgresConnection& connection) const {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const TargetColumn& column : columns) names.push_back(connection.Quote(column.name));
  return fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", qualified_name,
                     fmt::join(names, ", "));
}

std::string CreateTableStatement(const PostgresConnection& connection,
                                 const PostgresSinkOptions& options, const Schema& schema) {
  std::vector<std::string> columns;
  for (const Field& field : schema.fields()) {
    columns.push_back(fmt::format("{} {}{}", connection.Quote(field.name), DdlType(field.type.kind),
                                  field.not_null ? " NOT NULL" : ""));
  }
  return fmt::format("CREATE TABLE IF NOT EXISTS {} ({})", QualifiedName(connection, options),
                     fmt::join(columns, ", "));
}

Result<TargetTable> DescribeTable(PostgresConnection& connection,
                                  const PostgresSinkOptions& options, const Schema& schema) {
  WS_RETURN_IF_ERROR(RequireUtf8(connection, options));
  const std::string name = QualifiedName(connection, options);
  WS_ASSIGN_OR_RETURN(std::optional<std::string> oid, FindTable(connection, name, options));
  if (!oid && options.create_tables) {
    const Status created =
        connection.Execute(CreateTableStatement(connection, options, schema).c_str());
    if (!created && !WasCreatedMeanwhile(created.error())) {
      return tl::make_unexpected(created.error());
    }
    WS_ASSIGN_OR_RETURN(oid, FindTable(connection, name, options));
  }
  if (!oid) return tl::make_unexpected(MissingTable(connection, options).error());
  WS_ASSIGN_OR_RETURN(const std::vector<CatalogColumn> catalog, ReadColumns(connection, *oid));
  TargetTable table{.qualified_name = name};
  WS_ASSIGN_OR_RETURN(table.columns, MatchColumns(catalog, options, schema));
  WS_ASSIGN_OR_RETURN(table.schema, ReadSchema(connection, *oid));
  WS_ASSIGN_OR_RETURN(table.primary_key, ReadPrimaryKey(connection, *oid));
  return table;
}

}  // namespace watershed
