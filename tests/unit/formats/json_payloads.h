// Decoding of whole payloads, for the tests of the JSON decoder.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/formats/registry.h"
#include "tests/unit/exchange/rows.h"
#include "watershed/v1/types.pb.h"

namespace watershed {

inline constexpr std::string_view kPattern = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";

// The columns every case is decoded into.
inline SchemaPtr TestSchema() {
  return std::make_shared<const Schema>(std::vector<Field>{{"host", {TypeKind::kString}},
                                                           {"i", {TypeKind::kInt32}},
                                                           {"l", {TypeKind::kInt64}},
                                                           {"d", {TypeKind::kDouble}},
                                                           {"b", {TypeKind::kBool}},
                                                           {"y", {TypeKind::kBytes}},
                                                           {"t", {TypeKind::kTimestampMs}}});
}

inline v1::Format JsonFormat(bool strict = false) {
  v1::Format format;
  format.set_name("json");
  if (strict) (*format.mutable_options())["strict-json"] = "true";
  v1::FormatColumn* column = format.add_columns();
  column->set_column("t");
  column->mutable_timestamp()->set_pattern(std::string(kPattern));
  return format;
}

struct Outcome {
  std::vector<std::string> rows;
  std::vector<std::string> errors;
};

inline Outcome DecodeAll(Decoder& decoder, const SchemaPtr& schema,
                         const std::vector<std::string>& payloads) {
  // Each payload in an allocation of exactly its size: the sanitizer sees a read past the end.
  std::vector<std::vector<char>> exact;
  std::vector<std::string_view> views;
  for (const std::string& payload : payloads) {
    exact.emplace_back(payload.begin(), payload.end());
    views.emplace_back(exact.back().data() == nullptr ? "" : exact.back().data(), payload.size());
  }
  BatchBuilder builder(schema);
  std::vector<int32_t> decoded;
  std::vector<DecodeError> errors;
  decoder.Decode(views, builder, decoded, errors);
  Outcome outcome;
  const RecordBatch batch = builder.Finish();
  EXPECT_EQ(batch.num_rows(), static_cast<int64_t>(decoded.size()));
  EXPECT_EQ(decoded.size() + errors.size(), payloads.size());
  for (int64_t row = 0; row < batch.num_rows(); ++row) outcome.rows.push_back(RowText(batch, row));
  for (const DecodeError& error : errors) outcome.errors.push_back(error.reason);
  return outcome;
}

inline Outcome Decode(const std::vector<std::string>& payloads,
                      const v1::Format& format = JsonFormat(),
                      const SchemaPtr& schema = TestSchema()) {
  auto decoder = MakeDecoder(format, schema);
  EXPECT_TRUE(decoder) << decoder.error().message;
  return DecodeAll(**decoder, schema, payloads);
}

}  // namespace watershed
