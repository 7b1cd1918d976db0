#include "runtime/formats/timestamp_pattern.h"

#include <array>
#include <chrono>
#include <utility>

namespace watershed {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr size_t kMaxFractionDigits = 9;

// Reads digits without branching; what is no digit leaves `bad` above 9.
class Digits {
 public:
  explicit Digits(const char* text) : text_(text) {}
  uint32_t Two(int offset) { return One(offset) * 10 + One(offset + 1); }
  uint32_t Four(int offset) { return Two(offset) * 100 + Two(offset + 2); }
  uint32_t TwoOr0(int offset) { return offset < 0 ? 0 : Two(offset); }
  // The first three of `count` digits, as thousandths.
  uint32_t Thousandths(int offset, int count) {
    uint32_t value = 0;
    for (int i = 0; i < 3; ++i) value = value * 10 + (i < count ? One(offset + i) : 0);
    for (int i = 3; i < count; ++i) One(offset + i);
    return value;
  }
  bool good() const { return bad_ <= 9; }

 private:
  uint32_t One(int offset) {
    const uint32_t digit = static_cast<unsigned char>(text_[offset]) - uint32_t{'0'};
    bad_ |= digit <= 9 ? 0 : 16;
    return digit;
  }
  const char* text_;
  uint32_t bad_ = 0;
};

void WriteDigits(uint32_t value, int width, char* to) {
  for (int i = width - 1; i >= 0; --i) {
    to[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

void TimestampPattern::AppendLiteral(char c) { literals_.push_back({length_++, c}); }

Status TimestampPattern::CompileField(char letter, size_t width) {
  struct Field {
    char letter;
    size_t width;
    int Offsets::*offset;
  };
  static constexpr Field kFields[] = {{'y', 4, &Offsets::year},  {'u', 4, &Offsets::year},
                                      {'M', 2, &Offsets::month}, {'d', 2, &Offsets::day},
                                      {'H', 2, &Offsets::hour},  {'m', 2, &Offsets::minute},
                                      {'s', 2, &Offsets::second}};
  const auto place = [&](int& offset) -> Status {
    if (offset >= 0) return UserError("'{}' occurs twice in '{}'", letter, text_);
    offset = static_cast<int>(length_);
    length_ += static_cast<uint32_t>(width);
    return Ok();
  };
  if (letter == 'S') {
    if (width > kMaxFractionDigits) return UserError("more than nine 'S' in '{}'", text_);
    fraction_digits_ = static_cast<int>(width);
    return place(offsets_.fraction);
  }
  for (const Field& field : kFields) {
    if (field.letter != letter) continue;
    if (width != field.width) {
      return UserError("'{}' in '{}': write '{}', fields have a fixed width",
                       std::string(width, letter), text_, std::string(field.width, letter));
    }
    return place(offsets_.*field.offset);
  }
  return UserError(
      "'{}' in '{}' is not supported: use yyyy, MM, dd, HH, mm, ss, S (fraction) and text in "
      "single "
      "quotes, as in yyyy-MM-dd'T'HH:mm:ss.SSS'Z'; the time is UTC",
      std::string(width, letter), text_);
}

Result<TimestampPattern> TimestampPattern::Compile(std::string_view pattern) {
  TimestampPattern compiled;
  compiled.text_ = pattern;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  bool quoted = false;
  for (size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '\'' && i + 1 < pattern.size() && pattern[i + 1] == '\'') {
      compiled.AppendLiteral('\'');
      i += 2;
    } else if (c == '\'') {
      quoted = !quoted;
      ++i;
    } else if (quoted || !is_letter(c)) {
      if (!quoted && (c == '[' || c == ']' || c == '{' || c == '}' || c == '#')) {
        return UserError("'{}' in '{}' is not supported: fields have a fixed width", c, pattern);
      }
      compiled.AppendLiteral(c);
      ++i;
    } else {
      size_t width = 1;
      while (i + width < pattern.size() && pattern[i + width] == c) ++width;
      WS_RETURN_IF_ERROR(compiled.CompileField(c, width));
      i += width;
    }
  }
  if (quoted) return UserError("a quote is not closed in '{}'", pattern);
  const Offsets& at = compiled.offsets_;
  if (at.year < 0 || at.month < 0 || at.day < 0) {
    return UserError("'{}' lacks a year (yyyy), month (MM) or day (dd)", pattern);
  }
  if ((at.minute >= 0 && at.hour < 0) || (at.second >= 0 && at.minute < 0) ||
      (at.fraction >= 0 && at.second < 0)) {
    return UserError("'{}' has a part of the time without the larger one", pattern);
  }
  return compiled;
}

TimestampPattern TimestampPattern::Standard(std::string_view pattern) {
  TimestampPattern compiled = Compile(pattern).value();
  compiled.optional_fraction_ = true;
  compiled.text_ += ".SSS";
  return compiled;
}

TimestampPattern TimestampPattern::Sql() { return Standard("yyyy-MM-dd HH:mm:ss"); }
TimestampPattern TimestampPattern::Iso8601() { return Standard("yyyy-MM-dd'T'HH:mm:ss"); }

std::optional<TimestampMs> TimestampPattern::Parse(std::string_view text) const {
  int fraction_at = offsets_.fraction;
  int fraction_digits = fraction_digits_;
  if (text.size() != length_) {
    if (!optional_fraction_ || text.size() < length_ + 2 ||
        text.size() > length_ + 1 + kMaxFractionDigits || text[length_] != '.') {
      return std::nullopt;
    }
    fraction_at = static_cast<int>(length_) + 1;
    fraction_digits = static_cast<int>(text.size() - length_) - 1;
  }
  for (const Literal literal : literals_) {
    if (text[literal.offset] != literal.c) return std::nullopt;
  }
  Digits digits(text.data());
  const uint32_t year = digits.Four(offsets_.year);
  const uint32_t month = digits.Two(offsets_.month);
  const uint32_t day = digits.Two(offsets_.day);
  const uint32_t hour = digits.TwoOr0(offsets_.hour);
  const uint32_t minute = digits.TwoOr0(offsets_.minute);
  const uint32_t second = digits.TwoOr0(offsets_.second);
  const uint32_t ms = digits.Thousandths(fraction_at, fraction_digits);
  if (!digits.good() || year == 0 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day));
  if (!date.ok()) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * kDayMs + hour * int64_t{3'600'000} + minute * int64_t{60'000} +
         second * int64_t{1000} + ms;
}

bool TimestampPattern::Append(TimestampMs time_ms, std::string& out) const {
  int64_t day_number = time_ms / kDayMs;
  if (time_ms % kDayMs < 0) --day_number;
  // Beyond this the calendar's own arithmetic would overflow.
  if (day_number < -1'000'000 || day_number > 4'000'000) return false;
  const auto ms_of_day = static_cast<uint32_t>(time_ms - day_number * kDayMs);
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(day_number)))};
  const int year = static_cast<int>(date.year());
  if (year < 1 || year > 9999) return false;
  const size_t start = out.size();
  out.resize(start + length_);
  char* to = out.data() + start;
  for (const Literal literal : literals_) to[literal.offset] = literal.c;
  const auto write = [&](int offset, uint32_t value, int width) {
    if (offset >= 0) WriteDigits(value, width, to + offset);
  };
  write(offsets_.year, static_cast<uint32_t>(year), 4);
  write(offsets_.month, static_cast<unsigned>(date.month()), 2);
  write(offsets_.day, static_cast<unsigned>(date.day()), 2);
  write(offsets_.hour, ms_of_day / 3'600'000, 2);
  write(offsets_.minute, ms_of_day / 60'000 % 60, 2);
  write(offsets_.second, ms_of_day / 1000 % 60, 2);
  const uint32_t ms = ms_of_day % 1000;
  static constexpr std::array<uint32_t, 3> kScale = {100, 10, 1};
  for (int i = 0; i < fraction_digits_; ++i) {
    const auto place = static_cast<size_t>(i);
    write(offsets_.fraction + i, i < 3 ? ms / kScale[place] % 10 : 0, 1);
  }
  if (optional_fraction_) {
    char fraction[4] = {'.'};
    WriteDigits(ms, 3, fraction + 1);
    out.append(fraction, sizeof(fraction));
  }
  return true;
}

}  // namespace watershed
