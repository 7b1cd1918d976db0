#include <memory>
#include <string>
#include <vector>

#include "runtime/formats/registry.h"
#include "runtime/types/record_batch.h"
#include "tests/fuzz/targets.h"
#include "watershed/v1/types.pb.h"

namespace watershed::fuzz {
namespace {

SchemaPtr EventSchema() {
  return std::make_shared<const Schema>(std::vector<Field>{{"host", {TypeKind::kString}},
                                                           {"i", {TypeKind::kInt32}},
                                                           {"l", {TypeKind::kInt64}},
                                                           {"d", {TypeKind::kDouble}},
                                                           {"b", {TypeKind::kBool}},
                                                           {"y", {TypeKind::kBytes}},
                                                           {"t", {TypeKind::kTimestampMs}}});
}

std::unique_ptr<Decoder> Make(const SchemaPtr& schema, bool strict) {
  v1::Format format;
  format.set_name("json");
  if (strict) (*format.mutable_options())["strict-json"] = "true";
  v1::FormatColumn* column = format.add_columns();
  column->set_column("t");
  column->mutable_timestamp()->set_pattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
  return std::move(MakeDecoder(format, schema)).value();
}

// Each in an allocation of its own size, so that a sanitizer sees a read past its end.
std::vector<std::unique_ptr<std::string>> Lines(std::string_view bytes) {
  std::vector<std::unique_ptr<std::string>> lines;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    lines.push_back(std::make_unique<std::string>(bytes.substr(0, end)));
    lines.back()->shrink_to_fit();
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return lines;
}

}  // namespace

void JsonEvents(std::string_view bytes) {
  static const SchemaPtr kSchema = EventSchema();
  static const std::unique_ptr<Decoder> kDecoders[] = {Make(kSchema, false), Make(kSchema, true)};
  const auto lines = Lines(bytes);
  std::vector<std::string_view> payloads;
  payloads.reserve(lines.size());
  for (const auto& line : lines) payloads.push_back(*line);
  size_t decoded_before = payloads.size();
  for (const auto& decoder : kDecoders) {
    BatchBuilder builder(kSchema);
    std::vector<int32_t> decoded;
    std::vector<DecodeError> errors;
    decoder->Decode(payloads, builder, decoded, errors);
    Must(decoded.size() + errors.size() == payloads.size());
    Must(builder.Finish().num_rows() == static_cast<int64_t>(decoded.size()));
    Must(decoded.size() <= decoded_before);  // strict takes less
    decoded_before = decoded.size();
  }
}

}  // namespace watershed::fuzz
