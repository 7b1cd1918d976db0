#include "runtime/types/schema_proto.h"

#include <set>

#include "watershed/v1/types.pb.h"

namespace watershed {

Result<DataType> DataTypeFromProto(const v1::DataType& proto) {
  switch (proto.kind()) {
    case v1::DataType::BOOL:
    case v1::DataType::INT32:
    case v1::DataType::INT64:
    case v1::DataType::DOUBLE:
    case v1::DataType::TIMESTAMP_MS:
    case v1::DataType::STRING:
    case v1::DataType::BYTES:
      return DataType{static_cast<TypeKind>(proto.kind())};
    default:
      return InternalError("data type {} is not known to this version",
                           static_cast<int>(proto.kind()));
  }
}

void DataTypeToProto(DataType type, v1::DataType* proto) {
  proto->set_kind(static_cast<v1::DataType::Kind>(type.kind));
}

Result<SchemaPtr> SchemaFromProto(const v1::Schema& proto) {
  std::vector<Field> fields;
  std::set<std::string_view> names;
  for (const v1::Field& field : proto.fields()) {
    auto type = DataTypeFromProto(field.type());
    if (!type) {
      return tl::make_unexpected(std::move(type).error().Within("field '" + field.name() + "'"));
    }
    if (!names.insert(field.name()).second) {
      return InternalError("a schema has two fields named '{}'", field.name());
    }
    fields.push_back({field.name(), *type, field.not_null()});
  }
  std::optional<int> event_time;
  if (proto.has_event_time_index()) {
    event_time = proto.event_time_index();
    if (*event_time < 0 || *event_time >= proto.fields_size() ||
        fields[static_cast<size_t>(*event_time)].type.kind != TypeKind::kTimestampMs) {
      return InternalError(
          "event-time index {} of a schema is not a timestamp field of its {} fields", *event_time,
          proto.fields_size());
    }
  }
  return std::make_shared<const Schema>(std::move(fields), event_time);
}

void SchemaToProto(const Schema& schema, v1::Schema* proto) {
  proto->Clear();
  for (const Field& field : schema.fields()) {
    v1::Field* out = proto->add_fields();
    out->set_name(field.name);
    DataTypeToProto(field.type, out->mutable_type());
    out->set_not_null(field.not_null);
  }
  if (schema.event_time_index()) proto->set_event_time_index(*schema.event_time_index());
}

}  // namespace watershed
