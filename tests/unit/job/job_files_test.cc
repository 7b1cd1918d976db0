// Every job we ship compiles without a word and plans at the parallelisms we promise; its plan is
// the golden one in plans/ (WATERSHED_UPDATE_GOLDEN=1 writes them anew: read the difference).
#include "tests/unit/job/job_files.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "runtime/job/physical_planner.h"

namespace watershed {
namespace {

using testing::CompileOrFail;
using testing::JobFilePaths;
using testing::ReadRepositoryFile;

class JobFileTest : public ::testing::TestWithParam<std::string> {};

TEST_P(JobFileTest, CompilesWithoutVariablesAndWithoutWarnings) {
  CompileOptions options;
  options.file_name = GetParam();
  const CompileResult result = CompileJobFile(ReadRepositoryFile(GetParam()), options);
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(ToString(result.diagnostics), "");
}

TEST_P(JobFileTest, PlansAtParallelism1To4) {
  const v1::JobGraph graph = CompileOrFail(ReadRepositoryFile(GetParam()));
  for (int32_t parallelism = 1; parallelism <= 4; ++parallelism) {
    PlanOptions options;
    options.parallelism = parallelism;
    const auto plan = PlanJob(graph, options);
    ASSERT_TRUE(plan) << plan.error().message;
    std::set<std::string> ids;
    for (const v1::Vertex& vertex : plan->vertices()) {
      EXPECT_EQ(vertex.parallelism(), parallelism);
      EXPECT_EQ(vertex.id().size(), 32U);
      EXPECT_TRUE(ids.insert(vertex.id()).second);
    }
    EXPECT_TRUE(
        google::protobuf::util::MessageDifferencer::Equals(*plan, *PlanJob(graph, options)));
  }
}

TEST_P(JobFileTest, PlanIsTheGoldenOne) {
  const v1::JobGraph graph = CompileOrFail(ReadRepositoryFile(GetParam()));
  PlanOptions options;
  options.default_parallelism = 2;
  const auto plan = PlanJob(graph, options);
  ASSERT_TRUE(plan) << plan.error().message;
  const std::string name = std::filesystem::path(GetParam()).stem().string();
  const std::string golden = "tests/unit/job/plans/" + name + ".txt";
  if (std::getenv("WATERSHED_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(std::filesystem::path(WATERSHED_SOURCE_DIR) / golden) << ToText(*plan);
  }
  EXPECT_EQ(ToText(*plan), ReadRepositoryFile(golden));
}

std::string TestName(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).stem().string();
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Jobs, JobFileTest, ::testing::ValuesIn(JobFilePaths()), TestName);

TEST(JobFilesTest, AreThoseTheUsersRun) {
  const std::vector<std::string> paths = JobFilePaths();
  const std::set<std::string> found(paths.begin(), paths.end());
  for (const char* name :
       {"session", "session-1m", "session-ip", "aggregation", "generate-web-traffic"}) {
    EXPECT_TRUE(found.contains(std::string("jobs/") + name + ".yaml")) << name;
  }
}

}  // namespace
}  // namespace watershed
