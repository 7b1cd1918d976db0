#include "runtime/job/redact.h"

#include <gtest/gtest.h>

#include "runtime/job/physical_planner.h"
#include "tests/unit/job/job_files.h"

namespace watershed {
namespace {

TEST(RedactTest, UrlsKeepAllButTheirPasswords) {
  const std::pair<const char*, const char*> kCases[] = {
      {"postgresql://me:pw@host:5432/db", "postgresql://me:******@host:5432/db"},
      {"postgresql://me:p@w:x@host/db", "postgresql://me:******@host/db"},
      {"jdbc:postgresql://host/db?user=me&password=pw&ssl=true",
       "jdbc:postgresql://host/db?user=me&password=******&ssl=true"},
      {"https://api/?token=t", "https://api/?token=******"},
      {"https://api/?token=t&sslpassword=u&x=1",
       "https://api/?token=******&sslpassword=******&x=1"},
      {"postgresql://me@host/db", "postgresql://me@host/db"},
      {"postgresql://host/a:b@c", "postgresql://host/a:b@c"},
      {"not a url: a@b?password=x", "not a url: a@b?password=x"},
      {"http://", "http://"},
      {"http://h/?", "http://h/?"},
  };
  for (const auto& [url, expected] : kCases) EXPECT_EQ(RedactUrl(url), expected);
}

TEST(RedactTest, NamesThatSaySo) {
  for (const char* name : {"password", "properties.sasl.password", "properties.ssl.key.pem",
                           "API_KEY", "aws-secret-access-key", "properties.oauth.Token.endpoint"}) {
    EXPECT_TRUE(LooksSecret(name)) << name;
  }
  for (const char* name : {"key", "keys", "topic", "properties.group.id", "username"}) {
    EXPECT_FALSE(LooksSecret(name)) << name;
  }
}

// Every job of ours with every secret set: none of them is left anywhere in what is shown.
TEST(RedactTest, NoSecretOfOurJobsIsShown) {
  const Variables variables = {{"KAFKA_WEB_TRAFFIC_SECRET", "kafka-s3cret"},
                               {"POSTGRES_PASSWORD", "postgres-s3cret"},
                               {"POSTGRES_URL", "postgresql://me:url-s3cret@host/db"}};
  for (const std::string& path : testing::JobFilePaths()) {
    const v1::JobGraph graph = testing::CompileOrFail(testing::ReadRepositoryFile(path), variables);
    const auto plan = PlanJob(graph, {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_NE(graph.DebugString().find("s3cret"), std::string::npos) << "the test tests nothing";
    EXPECT_NE(plan->DebugString().find("s3cret"), std::string::npos) << "the test tests nothing";
    EXPECT_EQ(Redact(graph).DebugString().find("s3cret"), std::string::npos) << path;
    EXPECT_EQ(Redact(*plan).DebugString().find("s3cret"), std::string::npos) << path;
    EXPECT_EQ(ToText(*plan).find("s3cret"), std::string::npos) << path;
  }
}

TEST(RedactTest, ContentOfFilesIsSecretWhateverTheOption) {
  CompileOptions options;
  options.read_file = [](const std::string&) -> Result<std::string> { return "s3cret\n"; };
  const CompileResult result = CompileJobFile(R"(
kind: Job
name: files
sources:
  events: { connector: datagen, columns: { ip: string } }
sinks:
  out: { input: events, connector: print, print-identifier: "${file:/run/secrets/x}" }
)",
                                              options);
  ASSERT_TRUE(result.ok()) << ToString(result.diagnostics);
  EXPECT_EQ(result.graph->sinks(0).connector().options().at("print-identifier"), "s3cret");
  EXPECT_EQ(Redact(*result.graph).DebugString().find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace watershed
