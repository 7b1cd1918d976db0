#include "runtime/formats/format_options.h"

#include "runtime/formats/csv_style.h"

namespace watershed {
namespace {

OptionSpec TimestampStandard() {
  return {.name = "timestamp-format.standard",
          .type = OptionType::kEnum,
          .default_value = "SQL",
          .choices = {"SQL", "ISO-8601"},
          .description =
              "How timestamps without a pattern are written: '2026-01-31 23:59:59.999' "
              "or '2026-01-31T23:59:59.999'"};
}

FormatDescription Csv() {
  FormatDescription csv = {
      .name = "csv", .options = CsvOptions(), .is_decoded = false, .check = CheckCsvOptions};
  csv.options.push_back(TimestampStandard());
  return csv;
}

FormatDescription Json() {
  return {.name = "json",
          .options = {{.name = "strict-json",
                       .type = OptionType::kBool,
                       .default_value = "false",
                       .description = "Validate the whole document, not only its structure and the "
                                      "used fields"},
                      TimestampStandard()}};
}

}  // namespace

std::span<const FormatDescription> AllFormats() {
  static const FormatDescription kFormats[] = {Csv(), Json()};
  return kFormats;
}

const FormatDescription* FindFormat(std::string_view name) {
  for (const FormatDescription& format : AllFormats()) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

}  // namespace watershed
