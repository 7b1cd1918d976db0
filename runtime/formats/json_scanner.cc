#include "runtime/formats/json_scanner.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "runtime/formats/json_text.h"

namespace watershed {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr size_t kPageBytes = 4096;
constexpr size_t kMaxExpected = 256;
// simdjson keeps about five bytes per byte of the largest document; beyond this it is given back.
constexpr size_t kKeptCapacityBytes = 1 << 20;

// Whether simdjson may look at SIMDJSON_PADDING bytes past the end: they lie in the same page, so
// the load cannot fault, and what it finds there does not matter. Sanitizers rightly see a foreign
// access.
bool ReadableInPlace([[maybe_unused]] std::string_view payload) {
#ifdef WATERSHED_SANITIZED
  return false;
#else
  const auto end = reinterpret_cast<uintptr_t>(payload.data() + payload.size());
  return (end & (kPageBytes - 1)) + simdjson::SIMDJSON_PADDING <= kPageBytes &&
         end % kPageBytes != 0;
#endif
}

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

std::string_view TrimEnd(std::string_view text) {
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

// A value cannot begin with what separates values.
bool CanBeginValue(char c) { return c != ',' && c != ':' && c != '}' && c != ']'; }

// Where the key's closing quote is, given where its value begins: only a colon and whitespace lie
// between, which simdjson has checked.
const char* KeyEnd(const char* value) {
  const char* at = value - 1;
  while (*at != ':') --at;
  --at;
  while (*at != '"') --at;
  return at;
}

// The text of an object or array, from bracket to bracket. Consumes the value.
simdjson::error_code RawContainer(ondemand::value& value, bool is_object, std::string_view& text) {
  if (is_object) {
    ondemand::object object;
    const auto error = value.get_object().get(object);
    return error ? error : object.raw_json().get(text);
  }
  ondemand::array array;
  const auto error = value.get_array().get(array);
  return error ? error : array.raw_json().get(text);
}

}  // namespace

JsonScanner::JsonScanner(std::vector<std::string> names, bool strict)
    : names_(std::move(names)),
      strict_(strict),
      parser_(std::make_unique<ondemand::parser>()),
      strict_parser_(std::make_unique<simdjson::dom::parser>()),
      tokens_(names_.size()) {}

const char* JsonScanner::Scan(std::string_view payload) {
  std::fill(tokens_.begin(), tokens_.end(), std::string_view());
  if (payload.empty()) return "the payload is empty";
  if (parser_->capacity() > kKeptCapacityBytes && payload.size() <= kKeptCapacityBytes) {
    parser_ = std::make_unique<ondemand::parser>();
    strict_parser_ = std::make_unique<simdjson::dom::parser>();
    padded_ = {};
  }
  if (!ReadableInPlace(payload)) {
    padded_.resize(std::max(padded_.size(), payload.size() + simdjson::SIMDJSON_PADDING));
    std::memcpy(padded_.data(), payload.data(), payload.size());
    std::memset(padded_.data() + payload.size(), 0, simdjson::SIMDJSON_PADDING);
    payload = {padded_.data(), payload.size()};
  }
  has_escapes_ = std::memchr(payload.data(), '\\', payload.size()) != nullptr;
  if (strict_) {
    // The DOM parser wants to own the padding unless told that it is there: it is.
    const auto error = strict_parser_->parse(payload.data(), payload.size(), false).error();
    if (error) return simdjson::error_message(error);
  }
  return ScanPadded(
      simdjson::padded_string_view(payload, payload.size() + simdjson::SIMDJSON_PADDING));
}

const char* JsonScanner::ScanPadded(simdjson::padded_string_view json) {
  ondemand::document document;
  if (const auto error = parser_->iterate(json).get(document)) {
    return simdjson::error_message(error);
  }
  ondemand::object object;
  if (const auto error = document.get_object().get(object)) {
    return error == simdjson::INCORRECT_TYPE ? "the payload is not a JSON object"
                                             : simdjson::error_message(error);
  }
  size_t ordinal = 0;
  for (auto result : object) {
    ondemand::field field;
    if (const auto error = std::move(result).get(field)) return simdjson::error_message(error);
    const char* key = field.key().raw();
    std::string_view token = field.value().raw_json_token();
    if (!CanBeginValue(token.front())) return "a field has no value";
    const int wanted = ordinal < expected_.size() && expected_[ordinal].Matches(key)
                           ? expected_[ordinal].wanted
                           : FindWanted(key, token.data(), ordinal);
    ++ordinal;
    if (wanted < 0) continue;
    if (token.front() == '{' || token.front() == '[') {
      if (const auto error = RawContainer(field.value(), token.front() == '{', token)) {
        return simdjson::error_message(error);
      }
    }
    tokens_[static_cast<size_t>(wanted)] = TrimEnd(token);
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return "the payload goes on after the object's end";
  }
  return nullptr;
}

bool JsonScanner::Expected::Matches(const char* key) const {
  uint64_t found[2];
  static_assert(sizeof(found) <= simdjson::SIMDJSON_PADDING);
  std::memcpy(found, key, sizeof(found));
  return mask[0] != 0 && (found[0] & mask[0]) == text[0] && (found[1] & mask[1]) == text[1];
}

int JsonScanner::FindWanted(const char* key, const char* value, size_t ordinal) {
  const std::string_view raw(key, static_cast<size_t>(KeyEnd(value) - key));
  std::string_view name = raw;
  if (has_escapes_ && raw.find('\\') != std::string_view::npos) {
    unescaped_key_.clear();
    if (AppendUnescaped(raw, unescaped_key_)) name = unescaped_key_;
  }
  const auto found = std::find(names_.begin(), names_.end(), name);
  const int wanted = found == names_.end() ? -1 : static_cast<int>(found - names_.begin());
  if (ordinal < kMaxExpected) {
    if (expected_.size() <= ordinal) expected_.resize(ordinal + 1);
    Expected& expected = expected_[ordinal];
    expected = {};
    expected.wanted = wanted;
    if (raw.size() < sizeof(expected.text)) {
      std::memcpy(expected.text, key, raw.size() + 1);
      std::memset(expected.mask, 0xFF, raw.size() + 1);
    }
  }
  return wanted;
}

}  // namespace watershed
