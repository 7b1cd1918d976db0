// The web events that the benches of single stages read, as the session job sees them.
#pragma once

#include <memory>
#include <vector>

#include "runtime/types/schema.h"
#include "watershed/v1/types.pb.h"

namespace watershed {

// The columns of the session job, (ip, host) being its key.
inline SchemaPtr SessionSchema() {
  return std::make_shared<const Schema>(
      std::vector<Field>{{"ip", {TypeKind::kString}},
                         {"host", {TypeKind::kString}},
                         {"event_time", {TypeKind::kTimestampMs}}},
      2);
}

inline v1::Format WebTrafficFormat(bool strict = false) {
  v1::Format format;
  format.set_name("json");
  if (strict) (*format.mutable_options())["strict-json"] = "true";
  v1::FormatColumn* column = format.add_columns();
  column->set_column("event_time");
  column->mutable_timestamp()->set_pattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
  return format;
}

}  // namespace watershed
