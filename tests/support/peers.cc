#include "tests/support/peers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

namespace watershed::test {
namespace {

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

Peers Read() {
  const char* path = std::getenv("WATERSHED_PEERS_ENV");
  std::ifstream file(path == nullptr ? "" : path);
  if (!file) {
    Fail(
        fmt::format("No peers: run this test by ctest, whose fixture starts Kafka and PostgreSQL "
                    "(WATERSHED_PEERS_ENV is '{}').",
                    path == nullptr ? "" : path));
  }
  std::map<std::string, std::string> values;
  for (std::string line; std::getline(file, line);) {
    const size_t equals = line.find('=');
    if (equals != std::string::npos) values[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return Peers{.kafka_url = values["KAFKA_URL"],
               .kafka_sasl_url = values["KAFKA_SASL_URL"],
               .kafka_sasl_user = values["KAFKA_SASL_USER"],
               .kafka_sasl_password = values["KAFKA_SASL_PASSWORD"],
               .postgres_url = values["POSTGRES_URL"],
               .postgres_user = values["POSTGRES_USER"],
               .postgres_password = values["POSTGRES_PASSWORD"],
               .postgres_db = values["POSTGRES_DB"],
               .postgres_host = values["POSTGRES_HOST"],
               .postgres_port = std::atoi(values["POSTGRES_PORT"].c_str())};
}

}  // namespace

std::string Peers::PostgresConnectionString() const {
  return fmt::format("host={} port={} user={} password={} dbname={}", postgres_host, postgres_port,
                     postgres_user, postgres_password, postgres_db);
}

const Peers& RunningPeers() {
  static const Peers peers = Read();
  return peers;
}

std::string UniqueName(const std::string& base) {
  static std::atomic<int> next{0};
  return fmt::format("{}_{}_{}", base, getpid(), next++);
}

void CreateTopic(const std::string& kafka_url, const std::string& topic, int partitions) {
  const std::string command = fmt::format("python3 '{}/create_topic.py' '{}' '{}' {}",
                                          WATERSHED_TEST_SUPPORT, kafka_url, topic, partitions);
  if (std::system(command.c_str()) != 0) Fail("failed: " + command);
}

}  // namespace watershed::test
