// watershed_sink_progress, beside the target: one row a writer, with the attempt that may write and
// the last epoch that was committed. Its row is locked and moved on in the transaction that writes
// an epoch's rows, so that rows and marker appear together, and a task that was replaced writes
// nothing.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/connectors/postgres/connection.h"
#include "runtime/connectors/postgres/options.h"
#include "runtime/connectors/postgres/session.h"
#include "runtime/connectors/sink.h"
#include "runtime/connectors/writer_owner.h"
#include "runtime/types/ids.h"
#include "runtime/types/result.h"

namespace watershed {

// One thread at a time, with its connection.
class ProgressTable {
 public:
  // Whether Open will succeed; changes nothing. A user error that gives the statements to be run by
  // somebody who may.
  static Status Check(PostgresConnection& connection, const PostgresSinkOptions& options,
                      const std::string& schema);
  // Finds it in the schema of the target, or makes it.
  static Result<ProgressTable> Open(PostgresConnection& connection,
                                    const PostgresSinkOptions& options, const std::string& schema);

  // Takes the writers over for this attempt of the job, in a transaction of its own; their markers.
  // A user error if a newer attempt, or another job with the same one, has one of them.
  Result<std::vector<WriterMarker>> Fence(PostgresConnection& connection,
                                          std::span<const WriterId> writers,
                                          const PostgresSession& session, const JobId& job) const;

  // Within the transaction that writes the epoch: locks the row and moves it on. False: it was
  // committed before, there is nothing to write. A user error once the writer was taken over.
  Result<bool> Advance(PostgresConnection& connection, const WriterId& writer, CheckpointId epoch,
                       const PostgresSession& session, const JobId& job) const;

 private:
  ProgressTable(PostgresSinkOptions options, std::string name)
      : options_(std::move(options)), name_(std::move(name)) {}
  struct Row {
    WriterOwner owner;
    CheckpointId epoch;
  };
  Result<Row> Read(PostgresConnection& connection, const WriterId& writer) const;

  PostgresSinkOptions options_;
  std::string name_;  // quoted, with its schema
};

}  // namespace watershed
