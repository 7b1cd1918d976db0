#include "runtime/connectors/postgres/sink.h"

#include <fmt/format.h>

#include <utility>

#include "runtime/connectors/postgres/connection.h"
#include "runtime/connectors/postgres/copy_encoder.h"
#include "runtime/connectors/postgres/options.h"
#include "runtime/connectors/postgres/table.h"

namespace watershed {
namespace {

class PostgresSink : public Sink {
 public:
  PostgresSink(PostgresSinkOptions options, SchemaPtr schema, const ConnectorContext& context)
      : options_(std::move(options)),
        schema_(std::move(schema)),
        application_name_(fmt::format("watershed {} {} {}", context.job_name, context.operator_id,
                                      context.subtask.value)) {}

  Status Open() override {
    WS_RETURN_IF_ERROR(Connect());
    WS_ASSIGN_OR_RETURN(TargetTable table, DescribeTable(*connection_, options_, *schema_));
    copy_statement_ = table.CopyStatement(*connection_);
    encoder_.emplace(options_.Describe(), std::move(table.columns));
    return Ok();
  }

  // The table of progress will be read here, after the attempt in it has been raised.
  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId>, Attempt) override {
    return std::vector<WriterMarker>();
  }
  Status Recover(std::span<const SinkSegment> segments) override {
    while (!segments.empty()) {
      const std::span<const SinkSegment> epoch = FirstEpoch(segments);
      WS_RETURN_IF_ERROR(Commit(epoch.front().epoch, epoch));
      segments = segments.subspan(epoch.size());
    }
    return Ok();
  }

  Status Write(const RecordBatch& batch) override {
    WS_RETURN_IF_ERROR(encoder_->Append(batch, tuples_));
    rows_ += batch.num_rows();
    return Ok();
  }

  Result<std::vector<SinkSegment>> Prepare(CheckpointId epoch) override {
    std::vector<SinkSegment> segments;
    if (rows_ == 0) return segments;
    const size_t size = tuples_.size();
    segments.push_back({.epoch = epoch, .rows = rows_, .payload = std::move(tuples_)});
    tuples_ = std::string();
    tuples_.reserve(size);
    rows_ = 0;
    return segments;
  }

  Status Commit(CheckpointId epoch, std::span<const SinkSegment> segments) override {
    if (segments.empty()) return Ok();
    const Status status = TryCommit(epoch, segments);
    // Whatever state the connection is in, the next attempt begins with a new one.
    if (!status) connection_.reset();
    return status;
  }

  Status Flush() override { return Ok(); }
  int64_t buffered_bytes() const override { return static_cast<int64_t>(tuples_.size()); }
  void Close() override { connection_.reset(); }

 private:
  Status Connect() {
    WS_ASSIGN_OR_RETURN(connection_, PostgresConnection::Connect(options_, application_name_));
    return Ok();
  }

  Status TryCommit(CheckpointId epoch, std::span<const SinkSegment> segments);
  Result<bool> WasCommitted(CheckpointId epoch);

  // A COMMIT that was sent.
  struct InDoubt {
    CheckpointId epoch;
    std::string transaction_id;
    std::string server_run;
  };

  PostgresSinkOptions options_;
  SchemaPtr schema_;
  std::string application_name_;
  std::string copy_statement_;

  // The task's thread only.
  std::optional<CopyEncoder> encoder_;
  std::string tuples_;
  int64_t rows_ = 0;

  // Commit's thread only, once Open is done.
  std::unique_ptr<PostgresConnection> connection_;
  std::optional<InDoubt> in_doubt_;
};

// Identifies a run of the server. Transaction ids are known to grow only within one: a crash
// forgets those that never reached the disk and hands them out again. A crash that restarts the
// backends only is seen by the statistics, which it resets.
constexpr const char* kServerRun =
    "SELECT pg_postmaster_start_time()::text || ' ' || coalesce((SELECT stats_reset::text FROM "
    "pg_stat_bgwriter), ''), pg_current_xact_id_if_assigned()::text";

// BEGIN; COPY; COMMIT. The marker (epoch, attempt) of the table of progress belongs between COPY
// and COMMIT, and its row lock, which refuses stale attempts, before COPY.
Status PostgresSink::TryCommit(CheckpointId epoch, std::span<const SinkSegment> segments) {
  if (connection_ == nullptr) WS_RETURN_IF_ERROR(Connect());
  if (in_doubt_ && in_doubt_->epoch == epoch) {
    WS_ASSIGN_OR_RETURN(const bool committed, WasCommitted(epoch));
    if (committed) return Ok();
  }
  WS_RETURN_IF_ERROR(connection_->Execute("BEGIN; SET LOCAL synchronous_commit = on"));
  for (const SinkSegment& segment : segments) {
    WS_ASSIGN_OR_RETURN(const SinkPayload::Bytes tuples, segment.payload.Read());
    WS_RETURN_IF_ERROR(connection_->CopyIn(copy_statement_, *tuples));
  }
  WS_ASSIGN_OR_RETURN(const QueryRows run, connection_->Query(kServerRun, {}));
  in_doubt_ = {epoch, run[0][1], run[0][0]};
  Status committed = connection_->Execute("COMMIT");
  if (committed) {
    in_doubt_.reset();
  } else if (committed.error().retryable) {
    committed.error().message +=
        fmt::format("; whether epoch {} was committed is not known yet", epoch.value);
  }
  return committed;
}

// Settles an earlier COMMIT whose answer was lost. If the server has been restarted since, nobody
// can tell without a table of progress, and the epoch is written again: rows twice rather than
// none.
Result<bool> PostgresSink::WasCommitted(CheckpointId epoch) {
  WS_ASSIGN_OR_RETURN(const QueryRows run, connection_->Query(kServerRun, {}));
  if (run[0][0] != in_doubt_->server_run) {
    in_doubt_.reset();
    return false;
  }
  WS_ASSIGN_OR_RETURN(const QueryRows status, connection_->Query("SELECT pg_xact_status($1::xid8)",
                                                                 {in_doubt_->transaction_id}));
  if (status[0][0] == "in progress") {
    return TransientError("the earlier COMMIT of epoch {} is still under way in {}", epoch.value,
                          options_.Describe());
  }
  in_doubt_.reset();
  return status[0][0] == "committed";
}

}  // namespace

Result<std::unique_ptr<Sink>> MakePostgresSink(const OptionMap& options, SchemaPtr schema,
                                               const ConnectorContext& context) {
  WS_ASSIGN_OR_RETURN(PostgresSinkOptions parsed, ParsePostgresSinkOptions(options));
  return std::make_unique<PostgresSink>(std::move(parsed), std::move(schema), context);
}

}  // namespace watershed
