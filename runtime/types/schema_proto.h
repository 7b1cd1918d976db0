// Schema and DataType to and from their protobuf messages. A library of its own (ws_schema_proto),
// so that ws_types does not need protobuf.
#pragma once

#include "runtime/types/result.h"
#include "runtime/types/schema.h"

namespace watershed {

namespace v1 {
class DataType;
class Schema;
}  // namespace v1

Result<DataType> DataTypeFromProto(const v1::DataType& proto);
void DataTypeToProto(DataType type, v1::DataType* proto);

// Refuses unknown kinds, two fields of one name, and an event-time index that is out of range or
// not a timestamp: the message may come from another version.
Result<SchemaPtr> SchemaFromProto(const v1::Schema& proto);
void SchemaToProto(const Schema& schema, v1::Schema* proto);

}  // namespace watershed
