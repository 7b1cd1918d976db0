// Aligned columns for people.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace watershed {

enum class Align : uint8_t { kLeft, kRight };

// Rows of text under a header line, two spaces between columns, no trailing blanks. Widths count
// UTF-8 code points. Cells are made printable.
class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
    bool operator==(const Column&) const = default;
  };
  explicit Table(std::vector<Column> columns);

  // As many cells as columns.
  void AddRow(std::vector<std::string> cells);
  void Print(std::ostream& out) const;
  // Without the header, for rows below those printed before; no column is narrower than there.
  void Continue(std::ostream& out, std::vector<size_t>& widths) const;

 private:
  void Widen(std::vector<size_t>& widths) const;
  void PrintRow(std::ostream& out, const std::vector<std::string>& cells,
                const std::vector<size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// One line without control characters: texts from records and other systems must not move a
// terminal's cursor.
std::string Printable(std::string_view text);
// "1,234,567"
std::string GroupDigits(int64_t number);
// "3 d 4 h", "1 min 5 s", "2.5 s", "–" when negative.
std::string HumanDuration(int64_t duration_ms);

}  // namespace watershed
