#include "runtime/connectors/print/sink.h"

#include <gtest/gtest.h>

namespace watershed {
namespace {

RecordBatch OneRow() {
  const auto schema = std::make_shared<Schema>(std::vector<Field>{{"b", {TypeKind::kBool}},
                                                                  {"i", {TypeKind::kInt32}},
                                                                  {"l", {TypeKind::kInt64}},
                                                                  {"d", {TypeKind::kDouble}},
                                                                  {"t", {TypeKind::kTimestampMs}},
                                                                  {"s", {TypeKind::kString}},
                                                                  {"x", {TypeKind::kBytes}},
                                                                  {"n", {TypeKind::kString}}});
  BatchBuilder builder(schema);
  builder.column(0).AppendBool(true);
  builder.column(1).AppendInt32(-7);
  builder.column(2).AppendInt64(1);
  builder.column(3).AppendDouble(0.5);
  builder.column(4).AppendInt64(-1);
  builder.column(5).AppendString("a, b");
  builder.column(6).AppendString({"\x00\xff", 2});
  builder.column(7).AppendNull();
  builder.FinishRow();
  return builder.Finish();
}

TEST(PrintSink, RowsAreWrittenAsFlinkWritesThem) {
  std::string line;
  AppendPrintedRow(OneRow(), 0, line);
  EXPECT_EQ(line, "+I[true, -7, 1, 0.5, 1969-12-31T23:59:59.999, a, b, 00ff, null]");
}

TEST(PrintSink, RowKindsAreShown) {
  RecordBatch batch = OneRow();
  batch.set_row_kinds(std::make_shared<const std::vector<RowKind>>(1, RowKind::kUpdateBefore));
  std::string line;
  AppendPrintedRow(batch, 0, line);
  EXPECT_EQ(line.substr(0, 3), "-U[");
}

TEST(PrintSink, SubtasksAndIdentifierBeginTheLine) {
  const auto print = [](const OptionMap& options, int parallelism) {
    ConnectorContext context{.subtask = {1}, .parallelism = parallelism};
    auto sink = MakePrintSink(options, context);
    testing::internal::CaptureStdout();
    EXPECT_TRUE((*sink)->Write(OneRow()));
    EXPECT_TRUE((*sink)->Flush());
    const std::string out = testing::internal::GetCapturedStdout();
    return out.substr(0, out.find('['));
  };
  EXPECT_EQ(print({}, 1), "+I");
  EXPECT_EQ(print({}, 2), "2> +I");
  EXPECT_EQ(print({{"print-identifier", "x"}}, 1), "x> +I");
  EXPECT_EQ(print({{"print-identifier", "x"}}, 2), "x:2> +I");
}

}  // namespace
}  // namespace watershed
