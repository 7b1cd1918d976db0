// Base64 of RFC 4648 with padding: how JSON carries BYTES columns, as in Flink.
#pragma once

#include <string>
#include <string_view>

namespace watershed {

void AppendBase64(std::string_view bytes, std::string& out);
// Appends the decoded bytes; false for anything but canonical base64 (`out` is then undefined).
bool DecodeBase64(std::string_view text, std::string& out);

}  // namespace watershed
