#include "runtime/formats/registry.h"

#include "runtime/formats/csv_encoder.h"
#include "runtime/formats/csv_style.h"
#include "runtime/formats/format_options.h"
#include "runtime/formats/json_decoder.h"
#include "runtime/formats/json_encoder.h"
#include "watershed/v1/types.pb.h"

namespace watershed {
namespace {

std::string OptionOf(const v1::Format& format, const std::string& name, const char* fallback) {
  const auto found = format.options().find(name);
  return found == format.options().end() ? fallback : found->second;
}

Status CheckOptions(const v1::Format& format) {
  const FormatDescription* known = FindFormat(format.name());
  if (known == nullptr)
    return UserError("there is no format '{}'; known: csv, json", format.name());
  for (const auto& [name, value] : format.options()) {
    bool found = false;
    for (const OptionSpec& option : known->options) found = found || option.name == name;
    if (!found) return UserError("format '{}' has no option '{}'", format.name(), name);
  }
  return Ok();
}

Result<std::vector<PayloadField>> PayloadFields(const v1::Format& format, const Schema& schema) {
  const std::string standard = OptionOf(format, "timestamp-format.standard", "SQL");
  if (standard != "SQL" && standard != "ISO-8601") {
    return UserError("timestamp-format.standard is '{}': expected SQL or ISO-8601", standard);
  }
  std::vector<PayloadField> fields;
  for (const Field& field : schema.fields()) {
    fields.push_back(
        {field.name, standard == "SQL" ? TimestampPattern::Sql() : TimestampPattern::Iso8601()});
  }
  for (const v1::FormatColumn& column : format.columns()) {
    // Columns that nobody uses have been pruned from the schema, not from the format.
    const auto index = schema.IndexOf(column.column());
    if (!index) continue;
    PayloadField& field = fields[static_cast<size_t>(*index)];
    if (!column.path().empty()) field.name = column.path();
    if (!column.has_timestamp()) continue;
    auto codec = MakeTimestampCodec(column.timestamp());
    if (!codec) {
      return tl::make_unexpected(
          std::move(codec).error().Within("column '" + column.column() + "'"));
    }
    field.timestamp = *std::move(codec);
  }
  return fields;
}

Result<bool> Strict(const v1::Format& format) {
  const std::string strict = OptionOf(format, "strict-json", "false");
  if (strict != "true" && strict != "false") {
    return UserError("strict-json is '{}': expected true or false", strict);
  }
  return strict == "true";
}

}  // namespace

Result<std::unique_ptr<Decoder>> MakeDecoder(const v1::Format& format, SchemaPtr schema) {
  WS_RETURN_IF_ERROR(CheckOptions(format));
  if (!FindFormat(format.name())->is_decoded) {
    return UserError("format '{}' can only be written, by sinks; a source reads json",
                     format.name());
  }
  WS_ASSIGN_OR_RETURN(std::vector<PayloadField> fields, PayloadFields(format, *schema));
  WS_ASSIGN_OR_RETURN(const bool strict, Strict(format));
  return MakeJsonDecoder(std::move(schema), std::move(fields), strict);
}

Result<std::unique_ptr<Encoder>> MakeEncoder(const v1::Format& format, SchemaPtr schema) {
  WS_RETURN_IF_ERROR(CheckOptions(format));
  WS_ASSIGN_OR_RETURN(std::vector<PayloadField> fields, PayloadFields(format, *schema));
  if (format.name() == "csv") {
    WS_ASSIGN_OR_RETURN(CsvStyle style,
                        ParseCsvStyle({format.options().begin(), format.options().end()}));
    return MakeCsvEncoder(std::move(fields), std::move(style));
  }
  return MakeJsonEncoder(std::move(schema), std::move(fields));
}

}  // namespace watershed
