#include "runtime/connectors/print/sink.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "runtime/connectors/option_values.h"

namespace watershed {
namespace {

std::string_view NameOf(RowKind kind) {
  switch (kind) {
    case RowKind::kInsert:
      return "+I";
    case RowKind::kUpdateBefore:
      return "-U";
    case RowKind::kUpdateAfter:
      return "+U";
    case RowKind::kDelete:
      return "-D";
  }
  return "+I";
}

void AppendTimestamp(int64_t time_ms, std::string& out) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(time_ms)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                 clock.seconds().count(), clock.subseconds().count());
}

void AppendValue(const Column& column, int64_t row, std::string& out) {
  const auto index = static_cast<size_t>(row);
  if (column.IsNull(row)) {
    out += "null";
    return;
  }
  switch (column.type().kind) {
    case TypeKind::kBool:
      out += column.Bools()[index] != 0 ? "true" : "false";
      break;
    case TypeKind::kInt32:
      fmt::format_to(std::back_inserter(out), "{}", column.Int32s()[index]);
      break;
    case TypeKind::kInt64:
      fmt::format_to(std::back_inserter(out), "{}", column.Int64s()[index]);
      break;
    case TypeKind::kDouble:
      fmt::format_to(std::back_inserter(out), "{}", column.Doubles()[index]);
      break;
    case TypeKind::kTimestampMs:
      AppendTimestamp(column.Int64s()[index], out);
      break;
    case TypeKind::kString:
      out += column.String(row);
      break;
    case TypeKind::kBytes:
      for (const char byte : column.String(row)) {
        fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(byte));
      }
      break;
  }
}

class PrintSink : public Sink {
 public:
  explicit PrintSink(std::string prefix) : prefix_(std::move(prefix)) {}

  Status Open() override { return Ok(); }
  Result<std::vector<WriterMarker>> Fence(std::span<const WriterId>, Attempt) override {
    return std::vector<WriterMarker>();
  }
  Status Recover(std::span<const SinkSegment>) override { return Ok(); }

  Status Write(const RecordBatch& batch) override {
    text_.clear();
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      text_ += prefix_;
      AppendPrintedRow(batch, row, text_);
      text_ += '\n';
    }
    if (std::fwrite(text_.data(), 1, text_.size(), stdout) != text_.size()) {
      return ExternalError("standard output cannot be written: {}", std::strerror(errno));
    }
    return Ok();
  }

  Result<std::vector<SinkSegment>> Prepare(CheckpointId) override {
    WS_RETURN_IF_ERROR(Flush());
    return std::vector<SinkSegment>();
  }
  Status Commit(CheckpointId, std::span<const SinkSegment>) override { return Ok(); }
  Status Flush() override {
    if (std::fflush(stdout) == 0) return Ok();
    return ExternalError("standard output cannot be written: {}", std::strerror(errno));
  }
  bool writes_at_once() const override { return true; }
  int64_t buffered_bytes() const override { return 0; }
  void Close() override { std::fflush(stdout); }

 private:
  std::string prefix_;
  std::string text_;
};

}  // namespace

void AppendPrintedRow(const RecordBatch& batch, int64_t row, std::string& out) {
  const RowKind kind = batch.row_kinds() != nullptr ? (*batch.row_kinds())[static_cast<size_t>(row)]
                                                    : RowKind::kInsert;
  out += NameOf(kind);
  out += '[';
  for (int column = 0; column < batch.num_columns(); ++column) {
    if (column > 0) out += ", ";
    AppendValue(batch.column(column), row, out);
  }
  out += ']';
}

Result<std::unique_ptr<Sink>> MakePrintSink(const OptionMap& options,
                                            const ConnectorContext& context) {
  std::string prefix = OptionOr(options, "print-identifier", "");
  if (context.parallelism > 1) {
    prefix += fmt::format("{}{}", prefix.empty() ? "" : ":", context.subtask.value + 1);
  }
  if (!prefix.empty()) prefix += "> ";
  return std::make_unique<PrintSink>(std::move(prefix));
}

}  // namespace watershed
