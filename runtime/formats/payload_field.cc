#include "runtime/formats/payload_field.h"

#include <charconv>
#include <cmath>
#include <iterator>

#include "runtime/formats/base64.h"

namespace watershed {
namespace {

// The shortest text that reads back as the same double; NaN and infinities as Java (and so
// Jackson, in quotes) writes them.
void AppendDouble(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "Infinity" : "-Infinity";
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

Status AppendTimestamp(TimestampMs time_ms, const PayloadField& field, std::string& out) {
  if (const auto* pattern = std::get_if<TimestampPattern>(&field.timestamp)) {
    if (pattern->Append(time_ms, out)) return Ok();
    return UserError(
        "field '{}': {} ms since 1970 lies outside the years 0001 to 9999 that '{}' can write; "
        "give the column an epoch unit",
        field.name, time_ms, pattern->text());
  }
  const auto value = std::get<EpochTime>(field.timestamp).FromMs(time_ms);
  if (!value) {
    return UserError("field '{}': {} ms since 1970 does not fit into {}", field.name, time_ms,
                     std::get<EpochTime>(field.timestamp).text());
  }
  AppendInt(*value, out);
  return Ok();
}

}  // namespace

void AppendInt(int64_t value, std::string& out) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

Status AppendText(const Column& column, int64_t row, const PayloadField& field, std::string& out) {
  const auto at = static_cast<size_t>(row);
  switch (column.type().kind) {
    case TypeKind::kString:
      out += column.String(row);
      break;
    case TypeKind::kTimestampMs:
      return AppendTimestamp(column.Int64s()[at], field, out);
    case TypeKind::kInt64:
      AppendInt(column.Int64s()[at], out);
      break;
    case TypeKind::kInt32:
      AppendInt(column.Int32s()[at], out);
      break;
    case TypeKind::kDouble:
      AppendDouble(column.Doubles()[at], out);
      break;
    case TypeKind::kBool:
      out += column.Bools()[at] != 0 ? "true" : "false";
      break;
    case TypeKind::kBytes:
      AppendBase64(column.String(row), out);
      break;
  }
  return Ok();
}

}  // namespace watershed
