#include "runtime/formats/json_decoder.h"

#include <cassert>
#include <limits>
#include <utility>

#include "runtime/formats/base64.h"
#include "runtime/formats/json_scanner.h"
#include "runtime/formats/json_text.h"

namespace watershed {
namespace {

constexpr size_t kShownBytes = 60;

std::vector<std::string> NamesOf(const std::vector<PayloadField>& fields) {
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const PayloadField& field : fields) names.push_back(field.name);
  return names;
}

// A token for a message: shortened, between whole UTF-8 characters.
std::string Shown(std::string_view token) {
  if (token.size() <= kShownBytes) return std::string(token);
  size_t end = kShownBytes;
  while (end > 0 && (static_cast<unsigned char>(token[end]) & 0xC0) == 0x80) --end;
  return std::string(token.substr(0, end)) + "…";
}

bool IsString(std::string_view token) { return token.front() == '"'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsContainer(std::string_view token) { return token.front() == '{' || token.front() == '['; }

class JsonDecoder final : public Decoder {
 public:
  JsonDecoder(SchemaPtr schema, std::vector<PayloadField> fields, bool strict)
      : schema_(std::move(schema)), fields_(std::move(fields)), scanner_(NamesOf(fields_), strict) {
    assert(static_cast<int>(fields_.size()) == schema_->num_fields());
    for (int i = 0; i < schema_->num_fields(); ++i) {
      required_.push_back(schema_->field(i).not_null || schema_->event_time_index() == i);
    }
  }

  void Decode(std::span<const std::string_view> payloads, BatchBuilder& out,
              std::vector<int32_t>& decoded, std::vector<DecodeError>& errors) override {
    for (size_t i = 0; i < payloads.size(); ++i) {
      const auto index = static_cast<int32_t>(i);
      if (DecodeRow(payloads[i], out)) {
        out.FinishRow();
        decoded.push_back(index);
      } else {
        errors.push_back({index, std::move(reason_)});
      }
    }
  }

 private:
  bool DecodeRow(std::string_view payload, BatchBuilder& out) {
    if (payload.data() == nullptr) {
      reason_ = "the record has no value (a tombstone)";
      return false;
    }
    if (const char* error = scanner_.Scan(payload)) {
      reason_ = fmt::format("malformed JSON: {}", error);
      return false;
    }
    const auto tokens = scanner_.tokens();
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (AppendToken(i, tokens[i], out.column(static_cast<int>(i)))) continue;
      while (i > 0) out.column(static_cast<int>(--i)).PopBack();
      return false;
    }
    return true;
  }

  // Appends exactly one value, or appends nothing and says why.
  bool AppendToken(size_t index, std::string_view token, Column& column) {
    if (token.empty() || token == "null") {
      if (required_[index]) {
        return Wrong(index, token.empty() ? "is missing" : "is null",
                     schema_->event_time_index() == static_cast<int>(index)
                         ? "it is the event time"
                         : "the column is marked not-null");
      }
      column.AppendNull();
      return true;
    }
    switch (column.type().kind) {
      case TypeKind::kString:
        return AppendText(index, token, column);
      case TypeKind::kTimestampMs:
        return AppendTimestamp(index, token, column);
      case TypeKind::kInt64:
      case TypeKind::kInt32:
        return AppendInt(index, token, column);
      case TypeKind::kDouble:
        return AppendDouble(index, token, column);
      case TypeKind::kBool:
        return AppendBool(index, token, column);
      case TypeKind::kBytes:
        return AppendBytes(index, token, column);
    }
    return Wrong(index, "has a type", "this decoder does not know it");
  }

  bool AppendText(size_t index, std::string_view token, Column& column) {
    std::string_view text;
    if (IsString(token)) {
      if (!Unquote(index, token, text)) return false;
      column.AppendString(text);
      return true;
    }
    if (!IsContainer(token) && token != "true" && token != "false" && !IsJsonNumber(token)) {
      return Expected(index, "a JSON value", token);
    }
    column.AppendString(token);
    return true;
  }

  bool AppendTimestamp(size_t index, std::string_view token, Column& column) {
    const TimestampCodec& codec = fields_[index].timestamp;
    std::optional<TimestampMs> time_ms;
    std::string_view text;
    if (const auto* pattern = std::get_if<TimestampPattern>(&codec)) {
      if (IsString(token)) {
        if (!Unquote(index, token, text)) return false;
        time_ms = pattern->Parse(text);
      }
      if (!time_ms) {
        return Expected(index, fmt::format("a timestamp like {}", pattern->text()), token);
      }
    } else {
      const auto& epoch = std::get<EpochTime>(codec);
      if (!Scalar(index, token, text)) return false;
      const auto value = ParseJsonInt(text);
      if (value) time_ms = epoch.ToMs(*value);
      if (!time_ms) return Expected(index, epoch.text() + " (an integer)", token);
    }
    column.AppendInt64(*time_ms);
    return true;
  }

  bool AppendInt(size_t index, std::string_view token, Column& column) {
    std::string_view text;
    if (!Scalar(index, token, text)) return false;
    const auto value = ParseJsonInt(text);
    if (column.type().kind == TypeKind::kInt64) {
      if (!value) return Expected(index, "a bigint (64-bit integer)", token);
      column.AppendInt64(*value);
      return true;
    }
    if (!value || *value < std::numeric_limits<int32_t>::min() ||
        *value > std::numeric_limits<int32_t>::max()) {
      return Expected(index, "an int (32-bit integer)", token);
    }
    column.AppendInt32(static_cast<int32_t>(*value));
    return true;
  }

  bool AppendDouble(size_t index, std::string_view token, Column& column) {
    std::string_view text;
    if (!Scalar(index, token, text)) return false;
    const auto value = ParseJsonDouble(text);
    if (!value) return Expected(index, "a finite number", token);
    column.AppendDouble(*value);
    return true;
  }

  bool AppendBool(size_t index, std::string_view token, Column& column) {
    std::string_view text;
    if (!Scalar(index, token, text)) return false;
    if (text != "true" && text != "false") return Expected(index, "true or false", token);
    column.AppendBool(text == "true");
    return true;
  }

  bool AppendBytes(size_t index, std::string_view token, Column& column) {
    std::string_view text;
    if (IsString(token) && !Unquote(index, token, text)) return false;
    bytes_.clear();
    if (!IsString(token) || !DecodeBase64(text, bytes_)) {
      return Expected(index, "base64 text", token);
    }
    column.AppendString(bytes_);
    return true;
  }

  // The content of a string token; points into the token or into scratch.
  bool Unquote(size_t index, std::string_view token, std::string_view& text) {
    if (token.size() < 2 || token.back() != '"') return Expected(index, "a closed string", token);
    text = token.substr(1, token.size() - 2);
    if (!scanner_.has_escapes() || text.find('\\') == std::string_view::npos) return true;
    unescaped_.clear();
    if (!AppendUnescaped(text, unescaped_)) {
      return Expected(index, "a string with valid escapes", token);
    }
    text = unescaped_;
    return true;
  }

  // A number or boolean as it stands, or the trimmed content of a string.
  bool Scalar(size_t index, std::string_view token, std::string_view& text) {
    text = token;
    if (!IsString(token)) return true;
    if (!Unquote(index, token, text)) return false;
    while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
    while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
    return true;
  }

  bool Expected(size_t index, std::string_view what, std::string_view token) {
    reason_ =
        fmt::format("field '{}': expected {}, found {}", fields_[index].name, what, Shown(token));
    return false;
  }
  bool Wrong(size_t index, std::string_view what, std::string_view why) {
    reason_ = fmt::format("field '{}' {}, but {}", fields_[index].name, what, why);
    return false;
  }

  const SchemaPtr schema_;
  const std::vector<PayloadField> fields_;
  std::vector<bool> required_;
  JsonScanner scanner_;
  std::string unescaped_;
  std::string bytes_;
  std::string reason_;
};

}  // namespace

std::unique_ptr<Decoder> MakeJsonDecoder(SchemaPtr schema, std::vector<PayloadField> fields,
                                         bool strict) {
  return std::make_unique<JsonDecoder>(std::move(schema), std::move(fields), strict);
}

}  // namespace watershed
