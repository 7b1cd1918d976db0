#include "tests/unit/job/job_files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace watershed::testing {
namespace {

std::filesystem::path Root() { return WATERSHED_SOURCE_DIR; }

}  // namespace

std::string ReadRepositoryFile(const std::string& path) {
  std::ifstream file(Root() / path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::vector<std::string> JobFilePaths() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(Root() / "jobs")) {
    if (entry.path().extension() == ".yaml") {
      paths.push_back("jobs/" + entry.path().filename().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

v1::JobGraph CompileOrFail(const std::string& text, const Variables& variables) {
  CompileOptions options;
  options.variables = variables;
  CompileResult result = CompileJobFile(text, options);
  EXPECT_TRUE(result.ok()) << ToString(result.diagnostics);
  return result.graph.value_or(v1::JobGraph());
}

}  // namespace watershed::testing
