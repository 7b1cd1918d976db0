// docs/command-line.md is what the command line's definition says.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "command_line_run.h"

namespace watershed {
namespace {

TEST(ReferenceTest, ThePageIsMadeFromTheDefinition) {
  std::ifstream file(REFERENCE_PAGE);
  ASSERT_TRUE(file) << REFERENCE_PAGE;
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_EQ(page.str(), RunWsctl({"reference"}).out)
      << "write it anew: wsctl reference > docs/command-line.md";
}

}  // namespace
}  // namespace watershed
