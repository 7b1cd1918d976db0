#include "wsctl/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ostream>
#include <utility>

namespace watershed {
namespace {

size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // not a continuation byte
  }));
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::AddRow(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = Printable(cell);
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

void Table::Print(std::ostream& out) const {
  std::vector<std::string> titles;
  titles.reserve(columns_.size());
  for (const Column& column : columns_) titles.push_back(column.title);
  std::vector<size_t> widths;
  Widen(widths);
  PrintRow(out, titles, widths);
  for (const auto& row : rows_) PrintRow(out, row, widths);
}

void Table::Continue(std::ostream& out, std::vector<size_t>& widths) const {
  Widen(widths);
  for (const auto& row : rows_) PrintRow(out, row, widths);
}

void Table::Widen(std::vector<size_t>& widths) const {
  widths.resize(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    widths[i] = std::max(widths[i], Width(columns_[i].title));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], Width(row[i]));
  }
}

void Table::PrintRow(std::ostream& out, const std::vector<std::string>& cells,
                     const std::vector<size_t>& widths) const {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    std::string padding(widths[i] - Width(cells[i]), ' ');
    if (i > 0) line += "  ";
    line += columns_[i].align == Align::kRight ? padding + cells[i] : cells[i] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out << line << '\n';
}

std::string Printable(std::string_view text) {
  std::string result;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\t' || c == '\r') {
      result += ' ';
    } else if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

std::string GroupDigits(int64_t number) {
  std::string digits = std::to_string(number);
  size_t first = number < 0 ? 1 : 0;
  std::string result;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > first && (digits.size() - i) % 3 == 0) result += ',';
    result += digits[i];
  }
  return result;
}

std::string HumanDuration(int64_t duration_ms) {
  if (duration_ms < 0) return "–";
  if (duration_ms < 1000) return fmt::format("{} ms", duration_ms);
  if (duration_ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(duration_ms) / 1000);
  int64_t seconds = duration_ms / 1000;
  const std::array<std::pair<int64_t, const char*>, 4> units = {
      {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}}};
  for (size_t i = 0; i + 1 < units.size(); ++i) {
    if (seconds < units[i].first) continue;
    return fmt::format("{} {} {} {}", seconds / units[i].first, units[i].second,
                       seconds % units[i].first / units[i + 1].first, units[i + 1].second);
  }
  return fmt::format("{} s", seconds);
}

}  // namespace watershed
