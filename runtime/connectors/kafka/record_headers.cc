#include "runtime/connectors/kafka/record_headers.h"

#include "runtime/connectors/kafka/leb128.h"

namespace watershed {

void AppendKafkaHeader(std::string_view name, std::string_view value, std::string& out) {
  AppendLeb128(name.size(), out);
  out.append(name);
  AppendLeb128(value.size(), out);
  out.append(value);
}

std::optional<std::vector<KafkaHeader>> ReadKafkaHeaders(std::string_view headers) {
  std::vector<KafkaHeader> read;
  Leb128Scanner scanner(headers);
  const auto text = [&scanner]() -> std::optional<std::string_view> {
    const auto size = scanner.Number();
    return size ? scanner.Bytes(*size) : std::nullopt;
  };
  while (!scanner.done()) {
    const auto name = text();
    const auto value = name ? text() : std::nullopt;
    if (!value) return std::nullopt;
    read.push_back({*name, *value});
  }
  return read;
}

}  // namespace watershed
