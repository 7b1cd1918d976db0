#include "jobmanager/rest/rest_responses.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace watershed {

HttpResponse JsonResponse(const Json& json, int status) {
  return {.status = status, .body = Serialize(json)};
}

HttpResponse ErrorResponse(int status, std::string_view message) {
  return JsonResponse(ErrorsJson(message), status);
}

std::optional<std::string> ParseHexId(std::string_view text) {
  std::string id(text);
  for (char& c : id) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  const bool is_hex = std::ranges::all_of(
      id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (id.size() != 32 || !is_hex) return std::nullopt;
  return id;
}

HttpResponse BadId(std::string_view text, std::string_view what) {
  return ErrorResponse(
      400, fmt::format("Bad request: '{}' is not {} (32 hexadecimal digits).", text, what));
}

HttpResponse UnknownJob(std::string_view id) {
  return ErrorResponse(404, fmt::format("Job {} not found", id));
}

}  // namespace watershed
