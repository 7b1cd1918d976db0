#include "runtime/types/data_type.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace watershed {
namespace {

// The first name of each kind is the one job files and messages use.
constexpr std::pair<std::string_view, TypeKind> kNames[] = {
    {"bool", TypeKind::kBool},
    {"boolean", TypeKind::kBool},
    {"int", TypeKind::kInt32},
    {"integer", TypeKind::kInt32},
    {"int32", TypeKind::kInt32},
    {"bigint", TypeKind::kInt64},
    {"long", TypeKind::kInt64},
    {"int64", TypeKind::kInt64},
    {"double", TypeKind::kDouble},
    {"double precision", TypeKind::kDouble},
    {"float8", TypeKind::kDouble},
    {"timestamp", TypeKind::kTimestampMs},
    {"timestamp(3)", TypeKind::kTimestampMs},
    {"string", TypeKind::kString},
    {"varchar", TypeKind::kString},
    {"text", TypeKind::kString},
    {"bytes", TypeKind::kBytes},
    {"varbinary", TypeKind::kBytes},
    {"bytea", TypeKind::kBytes},
};

}  // namespace

std::string_view NameOf(DataType type) {
  for (const auto& [name, kind] : kNames) {
    if (kind == type.kind) return name;
  }
  return "unknown";
}

std::optional<DataType> DataTypeFromName(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& [known, kind] : kNames) {
    if (known == lower) return DataType{kind};
  }
  return std::nullopt;
}

}  // namespace watershed
