#include "wsctl/terminal.h"

#include <gtest/gtest.h>

namespace watershed {
namespace {

TEST(TerminalTest, LinesAreClippedByCodePoints) {
  EXPECT_EQ(ClipLines("grün\n\ngrüner\n", 5), "grün\n\ngrün…\n");
  EXPECT_EQ(ClipLines("grün", 4), "grün");
  EXPECT_EQ(ClipLines("grün\nab", 1), "…\n…");
  EXPECT_EQ(ClipLines("", 5), "");
}

TEST(TerminalTest, TheEnvironmentMaySayHowWideItIs) {
  EXPECT_EQ(TerminalColumns({{"COLUMNS", "132"}}), 132u);
  EXPECT_EQ(TerminalColumns({{"COLUMNS", "wide"}}), 0u);
}

}  // namespace
}  // namespace watershed
