#include "wsctl/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace watershed {
namespace {

bool BeginsCodePoint(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// Where the code point of this number begins; npos: there are not as many.
size_t PlaceOf(size_t number, std::string_view line) {
  size_t seen = 0;
  for (size_t at = 0; at < line.size(); ++at) {
    if (BeginsCodePoint(line[at]) && seen++ == number) return at;
  }
  return std::string_view::npos;
}

}  // namespace

size_t TerminalColumns(const Variables& environment) {
  const auto said = environment.find("COLUMNS");
  if (said != environment.end()) return std::strtoul(said->second.c_str(), nullptr, 10);
  winsize window{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
}

std::string ClipLines(std::string_view text, size_t columns) {
  std::string clipped;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const bool fits = columns == 0 || PlaceOf(columns, line) == std::string_view::npos;
    clipped += fits ? line : line.substr(0, PlaceOf(columns - 1, line));
    if (!fits) clipped += "…";
    text.remove_prefix(line.size());
    if (text.empty()) break;
    clipped += '\n';
    text.remove_prefix(1);
  }
  return clipped;
}

}  // namespace watershed
