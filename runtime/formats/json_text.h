// JSON tokens to values and back. `token` is a token as it stands in a document that has passed
// simdjson's structural pass: no whitespace around it, valid UTF-8, strings closed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watershed {

// Appends the text of a string without its quotes. false for an escape that JSON does not have. A
// surrogate without its partner becomes '?', as Java's UTF-8 encoder (and so Flink) writes it.
bool AppendUnescaped(std::string_view content, std::string& out);

// Numbers by JSON's grammar (no leading zeros or plus, no NaN or infinity); nullopt also when the
// value does not fit, or, for integers, has a fraction or an exponent.
std::optional<int64_t> ParseJsonInt(std::string_view token);
std::optional<double> ParseJsonDouble(std::string_view token);
bool IsJsonNumber(std::string_view token);

// Appends `text` in quotes, escaped. Bytes that are no UTF-8 are passed on as they are.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace watershed
