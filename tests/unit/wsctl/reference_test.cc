// docs/command-line.md and docs/configuration.md are what the definitions say.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "command_line_run.h"

namespace watershed {
namespace {

std::string Page(const std::string& name) {
  std::ifstream file(DOCS "/" + name);
  EXPECT_TRUE(file) << name;
  std::stringstream page;
  page << file.rdbuf();
  return page.str();
}

TEST(ReferenceTest, ThePageIsMadeFromTheDefinition) {
  EXPECT_EQ(Page("command-line.md"), RunWsctl({"reference"}).out)
      << "write it anew: wsctl reference > docs/command-line.md";
}

TEST(ReferenceTest, TheConfigurationIsMadeFromTheOptions) {
  EXPECT_EQ(Page("configuration.md"), RunWsctl({"reference", "configuration"}).out)
      << "write it anew: wsctl reference configuration > docs/configuration.md";
}

}  // namespace
}  // namespace watershed
