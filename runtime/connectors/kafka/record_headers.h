// Headers of a record as one string: for each the length of its name, the name, the length of its
// value, the value. Lengths are LEB128. A part of the format of segments (segment.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watershed {

struct KafkaHeader {
  std::string_view name;
  std::string_view value;
};

void AppendKafkaHeader(std::string_view name, std::string_view value, std::string& out);
// Views into `headers`, in the order appended; nullopt if it is damaged.
std::optional<std::vector<KafkaHeader>> ReadKafkaHeaders(std::string_view headers);

}  // namespace watershed
