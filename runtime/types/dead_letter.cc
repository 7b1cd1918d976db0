#include "runtime/types/dead_letter.h"

#include <memory>
#include <string>
#include <vector>

namespace watershed {

const SchemaPtr& DeadLetterSchema() {
  constexpr DataType kBytes{TypeKind::kBytes}, kString{TypeKind::kString};
  constexpr DataType kInt32{TypeKind::kInt32}, kInt64{TypeKind::kInt64};
  static const SchemaPtr kSchema = std::make_shared<const Schema>(std::vector<Field>{
      {std::string(kRecordValueColumn), kBytes},
      {std::string(kRecordKeyColumn), kBytes},
      {"__watershed.errors.message", kString, true},
      {"__watershed.errors.topic", kString, true},
      {"__watershed.errors.partition", kInt32, true},
      {"__watershed.errors.offset", kInt64, true},
      {"__watershed.errors.timestamp", kInt64, true},
      {"__watershed.errors.source", kString, true},
  });
  return kSchema;
}

}  // namespace watershed
