#include "runtime/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "runtime/config/process_arguments.h"
#include "runtime/config/units.h"

namespace watershed {
namespace {

using testing::HasSubstr;

class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("ws_config_" + std::to_string(::getpid()) +
                                                        "_" + std::to_string(next_++) + ".yaml")) {
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  static inline int next_ = 0;
  std::filesystem::path path_;
};

TEST(ConfigTest, DefaultsOfEveryOptionAreValid) {
  for (const OptionDefinition* option : AllOptions()) {
    Config config;
    if (option->default_value.empty()) continue;
    EXPECT_TRUE(config.Set(option->key, std::string(option->default_value))) << option->key;
  }
  const Config config;
  EXPECT_EQ(config.Get(options::kJobManagerRpcPort), (PortRange{6123, 6123}));
  EXPECT_EQ(config.Get(options::kTaskManagerSlots), 1);
  EXPECT_EQ(config.Get(options::kHeartbeatTimeout), std::chrono::seconds(5));
}

TEST(ConfigTest, FlatAndNestedYamlMeanTheSameAndOverridesWin) {
  const ConfigFile file(
      "rest.port: 9000-9002\n"
      "taskmanager:\n  numberOfTaskSlots: 4\n  memory:\n    managed.size: 64mb\n"
      "heartbeat: {timeout: 3s}\n");
  const auto config = Config::Load(file.path(), {"taskmanager.numberOfTaskSlots=2"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->Get(options::kRestPort), (PortRange{9000, 9002}));
  EXPECT_EQ(config->Get(options::kTaskManagerSlots), 2);
  EXPECT_EQ(config->Get(options::kManagedMemory), 64 << 20);
  EXPECT_EQ(config->Get(options::kHeartbeatTimeout), std::chrono::seconds(3));
}

TEST(ConfigTest, ProblemsNameTheirPlaceAndTheNearestKey) {
  const ConfigFile file(
      "rest.prot: 1\n"
      "heartbeat.timeout: 5\n"
      "heartbeat:\n  timeout: 5s\n"
      "parallelism.default: zero\n"
      "heartbeat.interval: 20ms\n");
  const auto config = Config::Load(file.path(), {"log.format=xml", "nonsense"});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().domain, ErrorDomain::kUser);
  const std::string& text = config.error().message;
  EXPECT_THAT(text, HasSubstr(file.path() + ":1:1: error: unknown option 'rest.prot'; did you mean "
                                            "'rest.port'?"));
  EXPECT_THAT(text, HasSubstr(":2:1: error: option 'heartbeat.timeout': '5' has no unit"));
  EXPECT_THAT(text,
              HasSubstr(":5:1: error: option 'parallelism.default': 'zero' is not an integer"));
  EXPECT_THAT(text,
              HasSubstr(":6:1: error: option 'heartbeat.interval': 20ms is too small: at least "
                        "100ms"));
  EXPECT_THAT(text, HasSubstr("-Dlog.format=xml: error: option 'log.format': 'xml' is not one of "
                              "text, json"));
  EXPECT_THAT(text, HasSubstr("-Dnonsense: error: write -Dkey=value"));
}

TEST(ConfigTest, TheSameKeyTwiceIsAnError) {
  const ConfigFile file("heartbeat.timeout: 3s\nheartbeat:\n  timeout: 4s\n");
  const auto config = Config::Load(file.path(), {});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr(":3:3: error: option 'heartbeat.timeout' is given "
                                                "twice"));
}

TEST(ConfigTest, UnreadableFilesAreNamed) {
  const auto missing = Config::Load("/nonexistent/config.yaml", {});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/config.yaml"));
  const ConfigFile broken("a: [1\nb: 2\n");
  EXPECT_FALSE(Config::Load(broken.path(), {}));
  const ConfigFile list("rest.port: [1, 2]\n");
  EXPECT_FALSE(Config::Load(list.path(), {}));
  const ConfigFile empty("");
  EXPECT_TRUE(Config::Load(empty.path(), {}));
}

TEST(UnitsTest, DurationsAndSizes) {
  EXPECT_EQ(ParseDuration("3min")->count(), 180'000);
  EXPECT_EQ(ParseDuration(" 10 s ")->count(), 10'000);
  EXPECT_EQ(ParseDuration("250 MS")->count(), 250);
  EXPECT_EQ(*ParseSize("64mb"), 64 << 20);
  EXPECT_EQ(*ParseSize("1 GB"), 1 << 30);
  for (const char* bad : {"", "10", "s", "-1s", "1.5s", "10 parsecs", "99999999999999999d"}) {
    EXPECT_FALSE(ParseDuration(bad)) << bad;
  }
  EXPECT_EQ(ParseDurationNs("2us")->count(), 2000);
  EXPECT_FALSE(ParseDuration("2us"));
  EXPECT_FALSE(ParseSize("64"));
  EXPECT_EQ(FormatDuration(std::chrono::milliseconds(180'000)), "3min");
  EXPECT_EQ(FormatDuration(std::chrono::milliseconds(1500)), "1500ms");
  EXPECT_EQ(FormatSize(3 << 20), "3mb");
}

TEST(UnitsTest, Ports) {
  EXPECT_EQ(*ParsePorts("0"), (PortRange{0, 0}));
  EXPECT_EQ(*ParsePorts("9249-9260"), (PortRange{9249, 9260}));
  for (const char* bad : {"", "-1", "70000", "5-4", "0-5", "a", "1-2-3"}) {
    EXPECT_FALSE(ParsePorts(bad)) << bad;
  }
}

TEST(ProcessArgumentsTest, ParsesBothWaysOfWritingD) {
  const char* argv[] = {"taskmanager",     "-Drest.port=1", "-D",
                        "log.level=debug", "--ports-file",  "/tmp/ports.json"};
  const auto arguments = ParseProcessArguments(6, argv);
  ASSERT_TRUE(arguments) << arguments.error().message;
  EXPECT_EQ(arguments->config.Get(options::kRestPort).first, 1);
  EXPECT_EQ(arguments->config.Get(options::kLogLevel), "debug");
  EXPECT_EQ(arguments->ports_file, "/tmp/ports.json");
  const char* unknown[] = {"taskmanager", "--slots=3"};
  EXPECT_FALSE(ParseProcessArguments(2, unknown));
  EXPECT_THAT(ProcessUsage("taskmanager", kTaskManager),
              HasSubstr("taskmanager.numberOfTaskSlots"));
  EXPECT_THAT(ProcessUsage("taskmanager", kTaskManager), testing::Not(HasSubstr("rest.port")));
}

}  // namespace
}  // namespace watershed
