// Job files and what is filled into them are UTF-8: they travel as protobuf strings, and into JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace watershed {

// Where the first byte stands that is not part of valid UTF-8.
std::optional<size_t> FindInvalidUtf8(std::string_view text);

}  // namespace watershed
