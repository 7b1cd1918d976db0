// Column types. The tag is extensible: decimal and nested types will carry parameters here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watershed {

// The numbers are part of the frame and manifest formats (proto DataType.Kind): never renumber.
enum class TypeKind : uint8_t {
  kBool = 1,
  kInt32 = 2,
  kInt64 = 3,
  kDouble = 4,
  kTimestampMs = 5,  // TIMESTAMP(3), stored as int64 milliseconds
  kString = 6,       // UTF-8
  kBytes = 7,
};

struct DataType {
  TypeKind kind = TypeKind::kString;
  bool operator==(const DataType&) const = default;

  bool is_variable_width() const { return kind == TypeKind::kString || kind == TypeKind::kBytes; }
  // Bytes of one value in a column; 0 for variable-width types.
  constexpr size_t width_bytes() const {
    switch (kind) {
      case TypeKind::kBool:
        return 1;
      case TypeKind::kInt32:
        return 4;
      case TypeKind::kInt64:
      case TypeKind::kDouble:
      case TypeKind::kTimestampMs:
        return 8;
      case TypeKind::kString:
      case TypeKind::kBytes:
        return 0;
    }
    return 0;
  }
};

// The name job files use: "bool", "int", "bigint", "double", "timestamp", "string", "bytes".
std::string_view NameOf(DataType type);
// Also accepts SQL spellings ("varchar", "integer", "long", …); nullopt if unknown.
std::optional<DataType> DataTypeFromName(std::string_view name);

}  // namespace watershed
