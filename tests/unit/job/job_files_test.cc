// Every job we ship compiles without a word and plans at the parallelisms we promise; its plan is
// the golden one in plans/ (WATERSHED_UPDATE_GOLDEN=1 writes them anew: read the difference).
#include "tests/unit/job/job_files.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

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

// Column names and types of every CREATE TABLE of a file, which has a column a line. By hand: gcc
// 12 warns of std::regex under sanitizers.
std::map<std::string, std::map<std::string, std::string>> TablesOf(const std::string& sql) {
  std::map<std::string, std::map<std::string, std::string>> tables;
  const std::string create = "CREATE TABLE IF NOT EXISTS ";
  std::istringstream lines(sql);
  std::string table;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(create)) {
      table = line.substr(create.size(), line.find(' ', create.size()) - create.size());
    } else if (line.starts_with("    ")) {
      const size_t end_of_name = line.find(' ', 4);
      std::string type = line.substr(end_of_name + 1);
      if (type.ends_with(',')) type.pop_back();
      tables[table][line.substr(4, end_of_name - 4)] = type;
    }
  }
  return tables;
}

// NAME of every ${NAME} and ${NAME:default}.
std::set<std::string> VariablesOf(const std::string& text) {
  std::set<std::string> names;
  for (size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at)) {
    at += 2;
    names.insert(text.substr(at, text.find_first_of(":}", at) - at));
  }
  return names;
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
  const std::set<std::string> users = {"KAFKA_URL", "KAFKA_TOPIC", "KAFKA_GROUP",
                                       "KAFKA_SECURITY_PROTOCOL", "KAFKA_WEB_TRAFFIC_KEY",
                                       "KAFKA_WEB_TRAFFIC_SECRET", "POSTGRES_URL", "POSTGRES_USER",
                                       "POSTGRES_PASSWORD", "POSTGRES_DB",
                                       // Ours; nobody has to set it.
                                       "CHECKPOINT_INTERVAL"};
  const std::set<std::string> generator = {
      "ROWS_PER_SECOND", "NUMBER_OF_ROWS", "DISORDER", "KEYS", "SKEW", "START", "TIME_STEP"};
  for (const std::string& path : JobFilePaths()) {
    const bool generates = path.find("generate") != std::string::npos;
    for (const std::string& name : VariablesOf(ReadRepositoryFile(path))) {
      EXPECT_TRUE(users.contains(name) || (generates && generator.contains(name)))
          << path << ": " << name;
    }
  }
}

}  // namespace
}  // namespace watershed
