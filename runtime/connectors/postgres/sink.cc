#include "runtime/connectors/postgres/sink.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "runtime/connectors/postgres/connection.h"
#include "runtime/connectors/postgres/copy_encoder.h"
#include "runtime/connectors/postgres/options.h"
#include "runtime/connectors/postgres/progress_table.h"
#include "runtime/connectors/postgres/session.h"
#include "runtime/connectors/postgres/table.h"
#include "runtime/connectors/postgres/upsert.h"
#include "runtime/types/kill_point.h"
#include "runtime/types/planted_bug.h"

namespace watershed {
namespace {

constexpr const char* kBegin = "BEGIN; SET LOCAL synchronous_commit = on";

// The name of a session, by which later attempts know it. Without the time-out a table that
// somebody has locked would be waited for without a word; so the commit fails with the lock's name,
// the status shows it, and it is asked for again.
constexpr const char* kSetSession =
    "SELECT set_config('application_name', $1, false), set_config('lock_timeout', $2, false)";

class PostgresSink : public Sink {
 public:
  PostgresSink(PostgresSinkOptions options, SchemaPtr schema, const ConnectorContext& context)
      : options_(std::move(options)),
        schema_(std::move(schema)),
        job_(context.job),
        session_{.writer = {"", context.operator_id, context.subtask.value}},
        application_name_(fmt::format("watershed {} {} {}", context.job_name, context.operator_id,
                                      context.subtask.value)) {}

  Status Open() override;
  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId> writers,
                                          Attempt attempt) override;
  Status Recover(std::span<const SinkSegment> segments) override;

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
    return Publish(session_.writer, epoch, segments);
  }

  Status Flush() override { return Ok(); }
  bool keeps_markers() const override {
    return options_.delivery == PostgresDelivery::kExactlyOnce;
  }
  bool writes_at_once() const override { return !keeps_markers(); }
  int64_t buffered_bytes() const override { return static_cast<int64_t>(tuples_.size()); }
  void Close() override { connection_.reset(); }

 private:
  Status Connect();
  Status SetSession();
  Result<std::vector<WriterMarker>> TryFence(std::span<const WriterId> writers);
  Status Publish(const WriterId& writer, CheckpointId epoch, std::span<const SinkSegment> segments);
  Status TryPublish(const WriterId& writer, CheckpointId epoch,
                    std::span<const SinkSegment> segments);

  const PostgresSinkOptions options_;
  const SchemaPtr schema_;
  const JobId job_;

  // Set while it is opened, by the thread of commits.
  PostgresSession session_;
  std::string application_name_;
  std::string table_schema_;
  std::optional<ProgressTable> progress_;
  std::optional<UpsertStatements> upsert_;
  std::string copy_statement_;

  // The task's thread only.
  std::optional<CopyEncoder> encoder_;
  std::string tuples_;
  int64_t rows_ = 0;

  // Commit's thread only, once Open is done.
  std::unique_ptr<PostgresConnection> connection_;
};

Status PostgresSink::Open() {
  WS_RETURN_IF_ERROR(Connect());
  WS_ASSIGN_OR_RETURN(TargetTable table, DescribeTable(*connection_, options_, *schema_));
  copy_statement_ = table.CopyStatement(*connection_);
  if (keeps_markers()) {
    WS_RETURN_IF_ERROR(ProgressTable::Check(*connection_, options_, table.schema));
    table_schema_ = table.schema;
  } else if (options_.delivery == PostgresDelivery::kUpsert) {
    WS_ASSIGN_OR_RETURN(upsert_, MakeUpsertStatements(*connection_, options_, table));
    copy_statement_ = upsert_->copy;
    WS_RETURN_IF_ERROR(connection_->Execute(upsert_->create_stage.c_str()));
  }
  encoder_.emplace(options_.Describe(), std::move(table.columns));
  return Ok();
}

Status PostgresSink::SetSession() {
  WS_RETURN_IF_ERROR(connection_->Query(
      kSetSession, {application_name_, fmt::format("{}ms", options_.lock_timeout.count())}));
  return Ok();
}

Status PostgresSink::Connect() {
  WS_ASSIGN_OR_RETURN(connection_, PostgresConnection::Connect(options_, application_name_));
  WS_RETURN_IF_ERROR(SetSession());
  return upsert_ ? connection_->Execute(upsert_->create_stage.c_str()) : Ok();
}

Result<std::vector<WriterMarker>> PostgresSink::Fence(std::span<const WriterId> writers,
                                                      Attempt attempt) {
  session_.attempt = attempt;
  for (const WriterId& writer : writers) session_.writer.lineage = writer.lineage;
  application_name_ = session_.ApplicationName();
  if (!keeps_markers()) return std::vector<WriterMarker>();
  auto markers = TryFence(writers);
  if (!markers) connection_.reset();
  return markers;
}

Result<std::vector<WriterMarker>> PostgresSink::TryFence(std::span<const WriterId> writers) {
  WS_RETURN_IF_ERROR(connection_ == nullptr ? Connect() : SetSession());
  // Not at Open, which changes nothing: `wsctl doctor` opens sinks, too.
  WS_ASSIGN_OR_RETURN(progress_, ProgressTable::Open(*connection_, options_, table_schema_));
  return progress_->Fence(*connection_, writers, session_, job_);
}

Status PostgresSink::Recover(std::span<const SinkSegment> segments) {
  return ForEachEpoch(segments, [this](std::span<const SinkSegment> epoch) {
    WriterId writer = session_.writer;
    writer.writer = epoch.front().writer;
    return Publish(writer, epoch.front().epoch, epoch);
  });
}

Status PostgresSink::Publish(const WriterId& writer, CheckpointId epoch,
                             std::span<const SinkSegment> segments) {
  if (segments.empty()) return Ok();
  Status status = TryPublish(writer, epoch, segments);
  // Whatever state the connection is in, the next attempt begins with a new one.
  if (!status) connection_.reset();
  return status;
}

// The row of progress comes first: whoever was replaced stops there, and one writer's epochs stand
// in line. Everything is one transaction.
Status PostgresSink::TryPublish(const WriterId& writer, CheckpointId epoch,
                                std::span<const SinkSegment> segments) {
  if (connection_ == nullptr) WS_RETURN_IF_ERROR(Connect());
  WS_RETURN_IF_ERROR(connection_->Execute(kBegin));
  if (progress_) {
    WS_ASSIGN_OR_RETURN(const bool is_new,
                        progress_->Advance(*connection_, writer, epoch, session_, job_));
    if (!is_new && !IsPlanted(PlantedBug::kSegmentCommittedTwice)) {
      return connection_->Execute("ROLLBACK");
    }
    if (IsPlanted(PlantedBug::kMarkerOutsideTransaction)) {
      WS_RETURN_IF_ERROR(connection_->Execute("COMMIT; BEGIN"));
    }
    Pass(KillPoint::kCommitHasLock);
  }
  for (const SinkSegment& segment : segments) {
    WS_ASSIGN_OR_RETURN(const SinkPayload::Bytes tuples, segment.payload.Read());
    WS_RETURN_IF_ERROR(connection_->CopyIn(copy_statement_, *tuples));
  }
  if (upsert_) WS_RETURN_IF_ERROR(connection_->Execute(upsert_->merge.c_str()));
  Pass(KillPoint::kCommitHasWritten);
  Status committed = connection_->Execute("COMMIT");
  if (!committed && committed.error().retryable) {
    committed.error().message +=
        fmt::format("; whether epoch {} was committed is not known yet", epoch.value);
  }
  return committed;
}

}  // namespace

Result<std::unique_ptr<Sink>> MakePostgresSink(const OptionMap& options, SchemaPtr schema,
                                               const ConnectorContext& context) {
  WS_ASSIGN_OR_RETURN(PostgresSinkOptions parsed, ParsePostgresSinkOptions(options));
  return std::make_unique<PostgresSink>(std::move(parsed), std::move(schema), context);
}

}  // namespace watershed
