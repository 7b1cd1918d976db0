// Every job we ship compiles without a word and plans at the parallelisms we promise; its plan is
// the golden one in plans/ (WATERSHED_UPDATE_GOLDEN=1 writes them anew: read the difference).
#include "tests/unit/job/job_files.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
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

// Column names and types of every CREATE TABLE of a file.
std::map<std::string, std::map<std::string, std::string>> TablesOf(const std::string& sql) {
  std::map<std::string, std::map<std::string, std::string>> tables;
  const std::regex table(R"(CREATE TABLE IF NOT EXISTS (\w+) \(([^;]*)\);)");
  const std::regex column(R"(^\s*(\w+) ([A-Z0-9()]+),?$)", std::regex::multiline);
  for (std::sregex_iterator at(sql.begin(), sql.end(), table), end; at != end; ++at) {
    const std::string body = (*at)[2];
    for (std::sregex_iterator c(body.begin(), body.end(), column); c != end; ++c) {
      tables[(*at)[1]][(*c)[1]] = (*c)[2];
    }
  }
  return tables;
}

std::string SqlTypeOf(const v1::DataType& type) {
  switch (type.kind()) {
    case v1::DataType::STRING:
      return "VARCHAR";
    case v1::DataType::INT64:
      return "BIGINT";
    case v1::DataType::TIMESTAMP_MS:
      return "TIMESTAMP(3)";
    default:
      return "?";
  }
}

// A sink that names other columns than its table is found here and not on somebody's database.
TEST(JobFilesTest, TablesHaveTheColumnsThatSinksWrite) {
  int tables_checked = 0;
  for (const std::string& path : JobFilePaths()) {
    const auto plan = PlanJob(CompileOrFail(ReadRepositoryFile(path)), {});
    ASSERT_TRUE(plan) << plan.error().message;
    for (const v1::Vertex& vertex : plan->vertices()) {
      for (const v1::PlanNode& node : vertex.nodes()) {
        if (node.sink().connector().name() != "postgres") continue;
        const std::string name = std::filesystem::path(path).stem().string();
        auto tables = TablesOf(ReadRepositoryFile("jobs/sql/" + name + ".sql"));
        std::map<std::string, std::string> written;
        for (const v1::Field& field : node.input_schema().fields()) {
          written[field.name()] = SqlTypeOf(field.type());
        }
        EXPECT_EQ(tables[node.sink().connector().options().at("table-name")], written) << path;
        ++tables_checked;
      }
    }
  }
  EXPECT_EQ(tables_checked, 5);
}

// Users keep these in an env file that they have today: others would be silent surprises.
TEST(JobFilesTest, ReadOnlyTheVariablesUsersHave) {
  const std::set<std::string> users = {"KAFKA_URL",
                                       "KAFKA_TOPIC",
                                       "KAFKA_GROUP",
                                       "KAFKA_SECURITY_PROTOCOL",
                                       "KAFKA_WEB_TRAFFIC_KEY",
                                       "KAFKA_WEB_TRAFFIC_SECRET",
                                       "POSTGRES_URL",
                                       "POSTGRES_USER",
                                       "POSTGRES_PASSWORD",
                                       "POSTGRES_DB"};
  const std::set<std::string> generator = {
      "ROWS_PER_SECOND", "NUMBER_OF_ROWS", "DISORDER", "KEYS", "SKEW", "START", "TIME_STEP"};
  const std::regex reference(R"(\$\{(\w+))");
  for (const std::string& path : JobFilePaths()) {
    const std::string text = ReadRepositoryFile(path);
    for (std::sregex_iterator at(text.begin(), text.end(), reference), end; at != end; ++at) {
      const std::string name = (*at)[1];
      EXPECT_TRUE(users.contains(name) ||
                  (path.find("generate") != std::string::npos && generator.contains(name)))
          << path << ": " << name;
    }
  }
}

}  // namespace
}  // namespace watershed
