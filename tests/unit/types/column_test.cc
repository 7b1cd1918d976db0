#include "runtime/types/column.h"

#include <gtest/gtest.h>

#include <numeric>

#include "runtime/types/record_batch.h"

namespace watershed {
namespace {

Column Strings(std::initializer_list<const char*> values) {
  Column column({TypeKind::kString});
  for (const char* value : values) value ? column.AppendString(value) : column.AppendNull();
  return column;
}

std::vector<std::string> Shown(const Column& column) {
  std::vector<std::string> shown;
  for (int64_t row = 0; row < column.size(); ++row) {
    shown.push_back(column.IsNull(row) ? "NULL" : std::string(column.String(row)));
  }
  return shown;
}

TEST(ColumnTest, KeepsFixedValuesAndZeroUnderNulls) {
  Column column({TypeKind::kInt64});
  for (int64_t i = 0; i < 200; ++i) i % 7 == 3 ? column.AppendNull() : column.AppendInt64(i * 3);
  ASSERT_EQ(column.size(), 200);
  EXPECT_EQ(column.null_count(), 29);
  for (int64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(column.IsNull(i), i % 7 == 3) << i;
    EXPECT_EQ(column.Int64s()[static_cast<size_t>(i)], i % 7 == 3 ? 0 : i * 3) << i;
  }
}

TEST(ColumnTest, FirstNullMayComeLate) {
  Column column({TypeKind::kInt32});
  for (int i = 0; i < 130; ++i) column.AppendInt32(i);
  EXPECT_TRUE(column.null_words().empty());
  column.AppendNull();
  for (int i = 0; i < 130; ++i) EXPECT_FALSE(column.IsNull(i));
  EXPECT_TRUE(column.IsNull(130));
  EXPECT_EQ(column.null_words().size(), 3u);
}

TEST(ColumnTest, PopBackLeavesNoTrace) {
  for (const TypeKind kind : {TypeKind::kInt64, TypeKind::kString}) {
    Column column({kind});
    const auto append = [&](int64_t i) {
      kind == TypeKind::kString ? column.AppendString(std::to_string(i)) : column.AppendInt64(i);
    };
    for (int64_t i = 0; i < 64; ++i) append(i);
    column.AppendNull();
    column.PopBack();
    EXPECT_EQ(column.null_count(), 0);
    EXPECT_EQ(column.size(), 64);
    append(64);
    EXPECT_FALSE(column.IsNull(64));
    column.PopBack();
    while (column.size() > 0) column.PopBack();
    EXPECT_TRUE(column.bytes().empty());
    append(7);
    EXPECT_FALSE(column.IsNull(0));
  }
}

TEST(ColumnTest, GathersRowsOfEveryTypeWithNulls) {
  const Column from = Strings({"a", nullptr, "ccc", ""});
  Column to = Strings({"x"});
  const std::vector<int32_t> rows = {3, 2, 1, 0, 2};
  to.AppendRows(from, rows);
  EXPECT_EQ(Shown(to), (std::vector<std::string>{"x", "", "ccc", "NULL", "a", "ccc"}));

  Column numbers({TypeKind::kInt32});
  for (int i = 0; i < 4; ++i) i == 2 ? numbers.AppendNull() : numbers.AppendInt32(i);
  Column gathered({TypeKind::kInt32});
  gathered.AppendRows(numbers, rows);
  EXPECT_EQ(gathered.null_count(), 2);
  EXPECT_EQ(gathered.Int32s()[0], 3);
  EXPECT_TRUE(gathered.IsNull(1));

  Column bools({TypeKind::kBool});
  bools.AppendBool(true);
  bools.AppendBool(false);
  Column flipped({TypeKind::kBool});
  flipped.AppendRows(bools, std::vector<int32_t>{1, 0});
  EXPECT_EQ(flipped.Bools()[0], 0);
  EXPECT_EQ(flipped.Bools()[1], 1);
}

TEST(ColumnTest, AppendsWholeColumnsAcrossWordBoundaries) {
  Column all({TypeKind::kString});
  std::vector<std::string> expected;
  for (int part = 0; part < 5; ++part) {
    Column piece({TypeKind::kString});
    for (int i = 0; i < 37; ++i) {
      if ((part + i) % 5 == 0 && part != 0) {
        piece.AppendNull();
        expected.push_back("NULL");
      } else {
        piece.AppendString(std::to_string(part * 100 + i));
        expected.push_back(std::to_string(part * 100 + i));
      }
    }
    all.AppendAll(piece);
  }
  EXPECT_EQ(Shown(all), expected);
}

TEST(ColumnTest, RefusesMoreThan4GigabytesOfText) {
  Column column({TypeKind::kString});
  const std::vector<uint32_t> nothing;
  // A view of the claimed length is refused before a byte of it is read.
  volatile size_t length = 0x1'0000'0000;  // volatile: the compiler must not see through it
  const std::string_view huge("x", length);
  EXPECT_THROW(column.AppendString(huge), std::length_error);
  EXPECT_THROW(column.AppendVariableRaw(huge, nothing), std::length_error);
  EXPECT_EQ(column.size(), 0);
}

TEST(BatchBuilderTest, FinishHandsOutAndStartsAnew) {
  auto schema = std::make_shared<const Schema>(
      std::vector<Field>{{"t", {TypeKind::kTimestampMs}}, {"s", {TypeKind::kString}}}, 0);
  BatchBuilder builder(schema);
  builder.column(0).AppendInt64(42);
  builder.column(1).AppendString("hello");
  builder.FinishRow();
  const RecordBatch batch = builder.Finish();
  EXPECT_EQ(batch.num_rows(), 1);
  EXPECT_EQ(batch.EventTimes()[0], 42);
  EXPECT_EQ(batch.column(1).String(0), "hello");
  EXPECT_EQ(builder.num_rows(), 0);
  EXPECT_EQ(builder.Finish().num_rows(), 0);
  EXPECT_EQ(batch.column(1).String(0), "hello");
}

TEST(RecordBatchTest, TakeKeepsRowKinds) {
  auto schema = std::make_shared<const Schema>(std::vector<Field>{{"n", {TypeKind::kInt64}}});
  BatchBuilder builder(schema);
  for (int i = 0; i < 3; ++i) {
    builder.column(0).AppendInt64(i);
    builder.FinishRow();
  }
  RecordBatch batch = builder.Finish();
  batch.set_row_kinds(std::make_shared<const std::vector<RowKind>>(
      std::vector<RowKind>{RowKind::kInsert, RowKind::kDelete, RowKind::kUpdateAfter}));
  const RecordBatch taken = Take(batch, std::vector<int32_t>{2, 1});
  EXPECT_EQ(taken.column(0).Int64s()[0], 2);
  EXPECT_EQ(*taken.row_kinds(), (std::vector<RowKind>{RowKind::kUpdateAfter, RowKind::kDelete}));
}

}  // namespace
}  // namespace watershed
