#include "runtime/connectors/postgres/progress_table.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "runtime/connectors/postgres/table.h"
#include "runtime/types/planted_bug.h"

namespace watershed {
namespace {

constexpr const char* kName = "watershed_sink_progress";

std::string NameIn(const PostgresConnection& connection, const std::string& schema) {
  return connection.Quote(schema) + "." + kName;
}

// The fill factor leaves room to update rows in their pages: they are updated at every checkpoint.
std::string CreateStatement(const std::string& name) {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (lineage text, sink text, target text, writer integer, "
      "attempt integer NOT NULL, job text NOT NULL, epoch bigint NOT NULL, "
      "committed_by text NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(), "
      "PRIMARY KEY (lineage, sink, target, writer)) WITH (fillfactor = 50)",
      name);
}

Result<bool> MayBeUsed(PostgresConnection& connection, const std::string& name,
                       const PostgresSinkOptions& options) {
  WS_ASSIGN_OR_RETURN(
      const QueryRows found,
      connection.Query(
          "SELECT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, "
          "'INSERT') AND has_table_privilege(c.oid, 'UPDATE'))::text, current_user "
          "FROM pg_class c WHERE c.oid = to_regclass($1)",
          {name}));
  if (found.empty()) return false;
  if (found[0][0] == "true") return true;
  return UserError(
      "user '{}' may not keep the progress of {}: GRANT SELECT, INSERT, UPDATE ON {} TO \"{}\"",
      found[0][1], options.Describe(), name, found[0][1]);
}

// A sink that was restored to write another table has nothing to do with the former one.
std::vector<std::string> KeyOf(const WriterId& writer, const PostgresSinkOptions& options) {
  return {writer.lineage, writer.sink, options.table, std::to_string(writer.writer)};
}

CheckpointId EpochIn(const std::string& text) { return {std::atoll(text.c_str())}; }

}  // namespace

Status ProgressTable::Check(PostgresConnection& connection, const PostgresSinkOptions& options,
                            const std::string& schema) {
  const std::string name = NameIn(connection, schema);
  WS_ASSIGN_OR_RETURN(const bool is_there, MayBeUsed(connection, name, options));
  if (is_there) return Ok();
  WS_ASSIGN_OR_RETURN(
      const QueryRows rights,
      connection.Query("SELECT has_schema_privilege($1, 'CREATE')::text, current_user", {schema}));
  if (rights[0][0] == "true") return Ok();
  return UserError(
      "the progress of {} cannot be kept beside it, as user '{}' may not create a table in schema "
      "'{}': have somebody who may run {}; GRANT SELECT, INSERT, UPDATE ON {} TO \"{}\", or choose "
      "delivery: at-least-once",
      options.Describe(), rights[0][1], schema, CreateStatement(name), name, rights[0][1]);
}

Result<ProgressTable> ProgressTable::Open(PostgresConnection& connection,
                                          const PostgresSinkOptions& options,
                                          const std::string& schema) {
  const std::string name = NameIn(connection, schema);
  WS_ASSIGN_OR_RETURN(const bool is_there, MayBeUsed(connection, name, options));
  if (!is_there) {
    const Status created = connection.Execute(CreateStatement(name).c_str());
    if (!created && !WasCreatedMeanwhile(created.error())) {
      return tl::make_unexpected(created.error());
    }
  }
  return ProgressTable(options, name);
}

Result<std::vector<WriterMarker>> ProgressTable::Fence(PostgresConnection& connection,
                                                       std::span<const WriterId> writers,
                                                       const PostgresSession& session,
                                                       const JobId& job) const {
  const std::string statement = fmt::format(
      "INSERT INTO {} AS p (lineage, sink, target, writer, attempt, job, epoch, committed_by) "
      "VALUES ($1, $2, $3, $4::int, $5::int, $6, -1, '') "
      "ON CONFLICT (lineage, sink, target, writer) DO UPDATE "
      "SET attempt = excluded.attempt, job = excluded.job WHERE p.attempt < excluded.attempt "
      "OR (p.attempt = excluded.attempt AND p.job = excluded.job) RETURNING epoch, committed_by",
      name_);
  const WriterOwner own = {session.attempt, job.hex};
  std::vector<WriterMarker> markers;
  // Each by itself: a transaction over several could wait for one that waits for this one.
  for (const WriterId& writer : writers) {
    std::vector<std::string> parameters = KeyOf(writer, options_);
    parameters.push_back(std::to_string(session.attempt.value));
    parameters.push_back(job.hex);
    WS_ASSIGN_OR_RETURN(
        const QueryRows rows,
        QueryBeforeOlderSessions(connection, options_, session, statement.c_str(), parameters));
    if (rows.empty()) {
      WS_ASSIGN_OR_RETURN(const Row row, Read(connection, writer));
      return TakenOver(writer.writer, options_.Describe(), row.owner, own);
    }
    markers.push_back({writer, EpochIn(rows[0][0]), rows[0][1]});
  }
  return markers;
}

Result<bool> ProgressTable::Advance(PostgresConnection& connection, const WriterId& writer,
                                    CheckpointId epoch, const PostgresSession& session,
                                    const JobId& job) const {
  const bool is_fenced = !IsPlanted(PlantedBug::kNoFencing);
  const char* is_own = is_fenced ? "attempt = $5::int AND job = $6" : "$5::int > 0 AND $6 > ''";
  const std::string statement = fmt::format(
      "UPDATE {} SET epoch = $7::bigint, committed_by = job, updated_at = now() "
      "WHERE lineage = $1 AND sink = $2 AND target = $3 AND writer = $4::int "
      "AND {} AND epoch < $7::bigint RETURNING epoch",
      name_, is_own);
  std::vector<std::string> parameters = KeyOf(writer, options_);
  parameters.push_back(std::to_string(session.attempt.value));
  parameters.push_back(job.hex);
  parameters.push_back(std::to_string(epoch.value));
  WS_ASSIGN_OR_RETURN(
      const QueryRows rows,
      QueryBeforeOlderSessions(connection, options_, session, statement.c_str(), parameters));
  if (!rows.empty()) return true;
  WS_ASSIGN_OR_RETURN(const Row row, Read(connection, writer));
  const WriterOwner own = {session.attempt, job.hex};
  if (row.owner == own) return false;
  return TakenOver(writer.writer, options_.Describe(), row.owner, own);
}

Result<ProgressTable::Row> ProgressTable::Read(PostgresConnection& connection,
                                               const WriterId& writer) const {
  const std::string statement = fmt::format(
      "SELECT attempt::text, job, epoch::text FROM {} "
      "WHERE lineage = $1 AND sink = $2 AND target = $3 AND writer = $4::int",
      name_);
  WS_ASSIGN_OR_RETURN(const QueryRows rows,
                      connection.Query(statement.c_str(), KeyOf(writer, options_)));
  if (rows.empty()) {
    return UserError(
        "the progress of writer {} in {} is gone: somebody deleted it from {}. What it had "
        "committed is not known any more; go on with wsctl submit FILE -s PATH --fork",
        writer.writer, options_.Describe(), name_);
  }
  return Row{{{std::atoi(rows[0][0].c_str())}, rows[0][1]}, EpochIn(rows[0][2])};
}

}  // namespace watershed
