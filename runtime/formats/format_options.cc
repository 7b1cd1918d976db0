#include "runtime/formats/format_options.h"

namespace watershed {

std::span<const FormatDescription> AllFormats() {
  static const FormatDescription kFormats[] = {
      {"json",
       {{.name = "strict-json",
         .type = OptionType::kBool,
         .default_value = "false",
         .description = "Validate the whole document, not only its structure and the used fields"},
        {.name = "timestamp-format.standard",
         .type = OptionType::kEnum,
         .default_value = "SQL",
         .choices = {"SQL", "ISO-8601"},
         .description = "How timestamps without a pattern are written: '2026-01-31 23:59:59.999' "
                        "or '2026-01-31T23:59:59.999'"}}},
  };
  return kFormats;
}

const FormatDescription* FindFormat(std::string_view name) {
  for (const FormatDescription& format : AllFormats()) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

}  // namespace watershed
