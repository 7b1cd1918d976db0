// docs/job-file.md is about the language as it is: its examples compile, and it names every option
// there is.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/connectors/connector.h"
#include "runtime/formats/format_options.h"
#include "runtime/job/physical_planner.h"
#include "tests/unit/job/job_files.h"

namespace watershed {
namespace {

std::vector<std::string> YamlBlocks(const std::string& markdown) {
  std::vector<std::string> blocks;
  const std::string open = "```yaml\n";
  for (size_t at = markdown.find(open); at != std::string::npos; at = markdown.find(open, at)) {
    at += open.size();
    blocks.push_back(markdown.substr(at, markdown.find("```", at) - at));
  }
  return blocks;
}

TEST(JobFileDocumentTest, ExamplesCompileAndPlan) {
  const std::vector<std::string> blocks =
      YamlBlocks(testing::ReadRepositoryFile("docs/job-file.md"));
  EXPECT_GE(blocks.size(), 3U);
  for (const std::string& block : blocks) {
    CompileOptions options;
    options.read_file = [](const std::string&) -> Result<std::string> { return "secret"; };
    const CompileResult result = CompileJobFile(block, options);
    ASSERT_TRUE(result.ok()) << ToString(result.diagnostics) << block;
    EXPECT_EQ(ToString(result.diagnostics), "");
    EXPECT_TRUE(PlanJob(*result.graph, {}));
  }
}

TEST(JobFileDocumentTest, NamesEveryConnectorAndOption) {
  const std::string text = testing::ReadRepositoryFile("docs/job-file.md");
  const auto expect_named = [&](std::string_view name) {
    if (name.starts_with("properties.") && name != "properties.*") return;
    EXPECT_NE(text.find(fmt::format("`{}`", name)), std::string::npos) << name;
  };
  for (const ConnectorSpec& connector : AllConnectors()) {
    expect_named(connector.name);
    for (const OptionSpec& option : connector.source_options) expect_named(option.name);
    for (const OptionSpec& option : connector.sink_options) expect_named(option.name);
  }
  for (const FormatDescription& format : AllFormats()) {
    EXPECT_NE(text.find(format.name), std::string::npos) << format.name;
    for (const OptionSpec& option : format.options) {
      EXPECT_NE(text.find(option.name), std::string::npos) << option.name;
    }
  }
}

}  // namespace
}  // namespace watershed
