#include "jobmanager/rest/request_body.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "jobmanager/rest/rest_responses.h"

namespace watershed {

RequestBody::RequestBody(std::unique_ptr<Json> json) : json_(std::move(json)) {}
RequestBody::RequestBody(RequestBody&&) noexcept = default;
RequestBody& RequestBody::operator=(RequestBody&&) noexcept = default;
RequestBody::~RequestBody() = default;

Result<RequestBody> RequestBody::Parse(std::string_view text,
                                       std::initializer_list<std::string_view> known) {
  if (text.empty()) return RequestBody(std::make_unique<Json>(Json::object()));
  std::set<std::string> seen;
  std::string twice;
  const auto note_keys = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (event != Json::parse_event_t::key || depth != 1) return true;
    const auto& name = parsed.get_ref<const std::string&>();
    if (!seen.insert(name).second) twice = name;
    return true;
  };
  auto json = std::make_unique<Json>(Json::parse(text, note_keys, /*allow_exceptions=*/false));
  if (json->is_discarded()) return UserError("the body is not valid JSON");
  if (!json->is_object()) return UserError("the body is not a JSON object");
  if (!twice.empty()) return UserError("the field '{}' is there twice", twice);
  for (const std::string& name : seen) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return UserError("unknown field '{}'; known are: {}", name, fmt::join(known, ", "));
  }
  return RequestBody(std::move(json));
}

const Json* RequestBody::Find(std::string_view field) const {
  const auto found = json_->find(std::string(field));
  return found == json_->end() || found->is_null() ? nullptr : &*found;
}

Result<std::string> RequestBody::Text(std::string_view field) const {
  const Json* const value = Find(field);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return UserError("the field '{}' must be a string", field);
  auto text = value->get<std::string>();
  if (text.find('\0') != std::string::npos) {
    return UserError("the field '{}' holds a NUL character", field);
  }
  return text;
}

Result<std::string> RequestBody::OneOf(std::string_view field,
                                       std::initializer_list<std::string_view> choices) const {
  WS_ASSIGN_OR_RETURN(std::string text, Text(field));
  if (Find(field) != nullptr && std::ranges::find(choices, text) == choices.end()) {
    return UserError("the field '{}' must be one of: {}; not '{}'", field, fmt::join(choices, ", "),
                     text);
  }
  return text;
}

Result<std::string> RequestBody::HexId(std::string_view field) const {
  WS_ASSIGN_OR_RETURN(const std::string text, Text(field));
  if (Find(field) == nullptr) return std::string();
  if (std::optional<std::string> id = ParseHexId(text)) return std::move(*id);
  return UserError("the field '{}' must be 32 hexadecimal digits; not '{}'", field, text);
}

Result<bool> RequestBody::Flag(std::string_view field) const {
  const Json* const value = Find(field);
  if (value == nullptr) return false;
  if (!value->is_boolean()) return UserError("the field '{}' must be true or false", field);
  return value->get<bool>();
}

}  // namespace watershed
