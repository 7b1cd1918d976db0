// Timestamps as text by a pattern in the letters of java.time.format.DateTimeFormatter, restricted
// to fields of fixed width, so that a pattern compiles to offsets and parsing is a few loads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/event_time.h"
#include "runtime/types/result.h"

namespace watershed {

class TimestampPattern {
 public:
  // Letters: yyyy (or uuuu), MM, dd, HH, mm, ss, and S up to nine times (a fraction; what is finer
  // than a millisecond is cut off). 'quoted' text and other characters stand for themselves, '' for
  // a quote. The time is UTC. A user error names what is wrong with the pattern, and what to write.
  static Result<TimestampPattern> Compile(std::string_view pattern);

  // Flink's timestamp-format.standard SQL ("yyyy-MM-dd HH:mm:ss") and ISO-8601 (with a T): parses
  // with or without a fraction of 1 to 9 digits as Flink does, and always writes three digits
  // (Flink leaves trailing zeros away).
  static TimestampPattern Sql();
  static TimestampPattern Iso8601();

  // nullopt unless `text` matches exactly and names a date and time that exist (no February 30, no
  // leap second, years 0001 to 9999).
  std::optional<TimestampMs> Parse(std::string_view text) const;
  // Appends the text of a time; false, and nothing is appended, outside the years 0001 to 9999.
  bool Append(TimestampMs time_ms, std::string& out) const;

  // As written, for messages.
  const std::string& text() const { return text_; }

 private:
  TimestampPattern() = default;
  Status CompileField(char letter, size_t width);
  void AppendLiteral(char c);
  static TimestampPattern Standard(std::string_view pattern);

  // Where a field begins; -1: the pattern has none.
  struct Offsets {
    int year = -1, month = -1, day = -1, hour = -1, minute = -1, second = -1, fraction = -1;
  };
  struct Literal {
    uint32_t offset = 0;
    char c = 0;
  };

  std::string text_;
  Offsets offsets_;
  int fraction_digits_ = 0;
  uint32_t length_ = 0;
  std::vector<Literal> literals_;
  bool optional_fraction_ = false;  // ".123" may follow the fixed part
};

}  // namespace watershed
