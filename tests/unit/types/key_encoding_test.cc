// The encoding of keys and their hash are part of every checkpoint. The values below are pinned:
// when this test goes red, kKeyEncodingVersion must rise and old checkpoints need a way in.
#include "runtime/types/key_encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "runtime/types/key_group.h"

namespace watershed {
namespace {

using std::string_literals::operator""s;

RecordBatch OneColumn(TypeKind kind, const std::function<void(Column&)>& fill) {
  auto schema = std::make_shared<const Schema>(std::vector<Field>{{"k", {kind}}});
  auto column = std::make_shared<Column>(DataType{kind});
  fill(*column);
  const int64_t rows = column->size();
  return RecordBatch(schema, {column}, rows);
}

std::vector<std::string> KeysOf(const RecordBatch& batch, std::vector<int> columns = {0}) {
  KeyBatch keys;
  EncodeKeys(batch, columns, keys);
  std::vector<std::string> out;
  for (int64_t i = 0; i < keys.size(); ++i) out.emplace_back(keys.key(i));
  return out;
}

TEST(KeyEncodingTest, PinnedBytes) {
  EXPECT_THAT(KeysOf(OneColumn(TypeKind::kString,
                               [](Column& c) {
                                 c.AppendString("ab");
                                 c.AppendString("");
                                 c.AppendNull();
                               })),
              testing::ElementsAre("\1\2\0\0\0ab"s, "\1\0\0\0\0"s, "\0"s));
  EXPECT_THAT(KeysOf(OneColumn(TypeKind::kInt64,
                               [](Column& c) {
                                 c.AppendInt64(0x0102030405060708);
                                 c.AppendNull();
                                 c.AppendInt64(-1);
                               })),
              testing::ElementsAre("\1\x08\7\6\5\4\3\2\1"s, "\0"s, "\1"s + std::string(8, '\xFF')));
  EXPECT_THAT(KeysOf(OneColumn(TypeKind::kTimestampMs, [](Column& c) { c.AppendInt64(256); })),
              testing::ElementsAre("\1\0\1\0\0\0\0\0\0"s));
  EXPECT_THAT(KeysOf(OneColumn(TypeKind::kInt32, [](Column& c) { c.AppendInt32(-2); })),
              testing::ElementsAre("\1\xFE\xFF\xFF\xFF"s));
  EXPECT_THAT(KeysOf(OneColumn(TypeKind::kBool,
                               [](Column& c) {
                                 c.AppendBool(true);
                                 c.AppendBool(false);
                               })),
              testing::ElementsAre("\1\1"s, "\1\0"s));
  EXPECT_THAT(KeysOf(OneColumn(TypeKind::kBytes, [](Column& c) { c.AppendString("\0\xFF"s); })),
              testing::ElementsAre("\1\2\0\0\0\0\xFF"s));
}

TEST(KeyEncodingTest, DoublesThatAreEqualHaveOneKey) {
  const auto keys = KeysOf(OneColumn(TypeKind::kDouble, [](Column& c) {
    c.AppendDouble(0.0);
    c.AppendDouble(-0.0);
    c.AppendDouble(std::numeric_limits<double>::quiet_NaN());
    c.AppendDouble(-std::numeric_limits<double>::quiet_NaN());
    c.AppendDouble(std::nan("77"));
    c.AppendDouble(1.5);
  }));
  EXPECT_EQ(keys[0], "\1\0\0\0\0\0\0\0\0"s);
  EXPECT_EQ(keys[1], keys[0]);
  EXPECT_EQ(keys[2], "\1\0\0\0\0\0\0\xF8\x7F"s);
  EXPECT_EQ(keys[3], keys[2]);
  EXPECT_EQ(keys[4], keys[2]);
  EXPECT_EQ(keys[5], "\1\0\0\0\0\0\0\xF8\x3F"s);
}

// The hashes were computed once by XXH3_64bits_withSeed of libxxhash 0.8.1.
TEST(KeyEncodingTest, PinnedHashesAndKeyGroups) {
  const RecordBatch batch = OneColumn(TypeKind::kString, [](Column& c) {
    c.AppendString("learn.dataexpert.io");
    c.AppendString("");
    c.AppendNull();
    c.AppendString(std::string(300, 'x'));
  });
  KeyBatch keys;
  EncodeKeys(batch, std::vector<int>{0}, keys);
  EXPECT_EQ(keys.hashes[0], 0xF27670131F068B42);
  EXPECT_EQ(keys.hashes[1], 0x13BE903B5F20DD8B);
  EXPECT_EQ(keys.hashes[2], 0x771BA7F3848A0998);
  EXPECT_EQ(keys.hashes[3], 0xFCE3C6414CEE84D0);
  EXPECT_EQ(KeyGroupOfHash(keys.hashes[0], 128).value, 66);
  EXPECT_EQ(KeyGroupOfHash(keys.hashes[2], 128).value, 24);
  EXPECT_EQ(HashKey(keys.key(0)), keys.hashes[0]);
}

TEST(KeyEncodingTest, CompositeKeysDoNotRunTogether) {
  auto schema = std::make_shared<const Schema>(
      std::vector<Field>{{"a", {TypeKind::kString}}, {"b", {TypeKind::kString}}});
  auto a = std::make_shared<Column>(DataType{TypeKind::kString});
  auto b = std::make_shared<Column>(DataType{TypeKind::kString});
  a->AppendString("ab"), b->AppendString("c");
  a->AppendString("a"), b->AppendString("bc");
  a->AppendString("a"), b->AppendNull();
  a->AppendNull(), b->AppendString("a");
  const auto keys = KeysOf(RecordBatch(schema, {a, b}, 4), {0, 1});
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 4u);
  EXPECT_EQ(keys[0], "\1\2\0\0\0ab\1\1\0\0\0c"s);
  EXPECT_EQ(keys[3], "\0\1\1\0\0\0a"s);
}

TEST(KeyEncodingTest, WithoutKeyColumnsEveryRowHasTheEmptyKey) {
  const RecordBatch batch = OneColumn(TypeKind::kInt64, [](Column& c) {
    c.AppendInt64(1);
    c.AppendInt64(2);
  });
  EXPECT_THAT(KeysOf(batch, {}), testing::ElementsAre("", ""));
}

TEST(KeyEncodingTest, DecodesWhatItEncoded) {
  const std::vector<TypeKind> kinds = {TypeKind::kBool,       TypeKind::kInt32,  TypeKind::kInt64,
                                       TypeKind::kDouble,     TypeKind::kString, TypeKind::kBytes,
                                       TypeKind::kTimestampMs};
  std::vector<Field> fields;
  std::vector<ColumnPtr> columns;
  for (const TypeKind kind : kinds) {
    fields.push_back({std::to_string(fields.size()), {kind}});
    auto column = std::make_shared<Column>(DataType{kind});
    if (kind == TypeKind::kBool) column->AppendBool(true);
    if (kind == TypeKind::kInt32) column->AppendInt32(-5);
    if (kind == TypeKind::kInt64 || kind == TypeKind::kTimestampMs) column->AppendInt64(1 << 30);
    if (kind == TypeKind::kDouble) column->AppendDouble(2.25);
    if (column->type().is_variable_width()) column->AppendString("x\0y"s);
    column->AppendNull();
    columns.push_back(column);
  }
  const RecordBatch batch(std::make_shared<const Schema>(fields), columns, 2);
  KeyBatch keys;
  EncodeKeys(batch, std::vector<int>{0, 1, 2, 3, 4, 5, 6}, keys);
  BatchBuilder builder(batch.schema());
  std::vector<Column*> to;
  for (int i = 0; i < 7; ++i) to.push_back(&builder.column(i));
  for (int64_t row = 0; row < 2; ++row) {
    ASSERT_TRUE(DecodeKey(keys.key(row), to));
    builder.FinishRow();
  }
  const RecordBatch decoded = builder.Finish();
  KeyBatch again;
  EncodeKeys(decoded, std::vector<int>{0, 1, 2, 3, 4, 5, 6}, again);
  EXPECT_EQ(again.key(0), keys.key(0));
  EXPECT_EQ(again.key(1), keys.key(1));
  EXPECT_EQ(decoded.column(4).String(0), "x\0y"s);
}

TEST(KeyEncodingTest, RefusesBytesThatAreNoKey) {
  BatchBuilder builder(std::make_shared<const Schema>(
      std::vector<Field>{{"a", {TypeKind::kString}}, {"b", {TypeKind::kInt64}}}));
  const std::vector<Column*> to = {&builder.column(0), &builder.column(1)};
  const std::string good = "\1\2\0\0\0ab\1\0\0\0\0\0\0\0\0"s;
  ASSERT_TRUE(DecodeKey(good, to));
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(DecodeKey(good.substr(0, length), to)) << length;
  }
  EXPECT_FALSE(DecodeKey(good + "x", to));
  EXPECT_FALSE(DecodeKey("\2" + good.substr(1), to));
  EXPECT_FALSE(
      DecodeKey("\1\xFF\xFF\xFF\xFF"
                "ab"s,
                to));
  EXPECT_EQ(builder.column(0).size(), 1);
  EXPECT_EQ(builder.column(1).size(), 1);
}

}  // namespace
}  // namespace watershed
