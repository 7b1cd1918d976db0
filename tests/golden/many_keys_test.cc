// That the cases with many keys put state into every key group: what a lost or misplaced group does
// to a restore shows only if there was something in it.
#include "tests/golden/many_keys.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "runtime/types/key_encoding.h"
#include "runtime/types/key_group.h"

namespace watershed::golden {
namespace {

// By the engine's own hash, from the rows as they are fed.
std::set<int32_t> KeyGroupsOf(const GoldenCase& golden) {
  auto column = std::make_shared<Column>(DataType{TypeKind::kString});
  for (const Lines& lines : golden.input.at("events")) {
    for (const std::string& line : lines) {
      column->AppendString(nlohmann::json::parse(line).at("k").get<std::string>());
    }
  }
  const auto schema =
      std::make_shared<const Schema>(std::vector<Field>{{"k", {TypeKind::kString}}});
  const int64_t rows = column->size();
  KeyBatch keys;
  const int columns[] = {0};
  EncodeKeys(RecordBatch(schema, {column}, rows), columns, keys);
  std::set<int32_t> groups;
  for (const uint64_t hash : keys.hashes) {
    groups.insert(KeyGroupOfHash(hash, kDefaultMaxParallelism).value);
  }
  return groups;
}

TEST(ManyKeysTest, EveryKeyGroupHasKeys) {
  for (const GoldenCase& golden : {ManyKeysInSessions(), ManyKeysWithLateRows()}) {
    EXPECT_EQ(KeyGroupsOf(golden).size(), kDefaultMaxParallelism) << golden.name;
  }
}

}  // namespace
}  // namespace watershed::golden
