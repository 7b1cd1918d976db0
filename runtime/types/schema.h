// Names and types of a batch's columns, and which of them is the event time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/data_type.h"

namespace watershed {

struct Field {
  std::string name;
  DataType type;
  bool not_null = false;
  bool operator==(const Field&) const = default;
};

// Immutable and shared by all batches of an edge.
class Schema {
 public:
  explicit Schema(std::vector<Field> fields, std::optional<int> event_time_index = std::nullopt)
      : fields_(std::move(fields)), event_time_index_(event_time_index) {}

  int num_fields() const { return static_cast<int>(fields_.size()); }
  const Field& field(int index) const { return fields_[static_cast<size_t>(index)]; }
  const std::vector<Field>& fields() const { return fields_; }
  // Column of type kTimestampMs that carries event time; nullopt where rows have none.
  std::optional<int> event_time_index() const { return event_time_index_; }
  std::optional<int> IndexOf(std::string_view name) const;
  bool operator==(const Schema&) const = default;

 private:
  std::vector<Field> fields_;
  std::optional<int> event_time_index_;
};

using SchemaPtr = std::shared_ptr<const Schema>;

}  // namespace watershed
