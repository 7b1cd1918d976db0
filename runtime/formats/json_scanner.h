// Finds the wanted fields of one JSON object. Private to formats/.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watershed {

// One thread.
class JsonScanner {
 public:
  // `names` are the wanted fields' names; `strict` validates whole documents.
  JsonScanner(std::vector<std::string> names, bool strict);

  // nullptr when `payload` is one complete object: tokens() then hold the raw value of every wanted
  // field, trimmed, or an empty view where it is missing. Otherwise what is wrong. The tokens live
  // until the next call and as long as the payload.
  const char* Scan(std::string_view payload);
  std::span<const std::string_view> tokens() const { return tokens_; }
  // No backslash in the whole document: no string needs unescaping.
  bool has_escapes() const { return has_escapes_; }

 private:
  // Objects of one topic mostly have the same fields in the same order, so what stood at a place in
  // the last object is tried first: the first 16 bytes at the key, masked to name and closing
  // quote.
  struct Expected {
    uint64_t text[2] = {0, 0};
    uint64_t mask[2] = {0, 0};  // zero: the name is too long, or nothing stood here
    int wanted = -1;
    bool Matches(const char* key) const;
  };

  const char* ScanPadded(simdjson::padded_string_view document);
  // The wanted field at a place, or -1. `key` and `value` are where they begin in the document.
  int FindWanted(const char* key, const char* value, size_t ordinal);

  const std::vector<std::string> names_;
  const bool strict_;
  std::unique_ptr<simdjson::ondemand::parser> parser_;
  std::unique_ptr<simdjson::dom::parser> strict_parser_;
  std::vector<char> padded_;
  std::string unescaped_key_;
  std::vector<std::string_view> tokens_;
  std::vector<Expected> expected_;
  bool has_escapes_ = false;
};

}  // namespace watershed
