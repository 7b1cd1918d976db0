// Where this ctest run's Kafka and PostgreSQL are (fixture `peers`, see ws_peer_test in
// CMakeLists.txt).
#pragma once

#include <string>

namespace watershed::test {

struct Peers {
  std::string kafka_url;       // bootstrap.servers, PLAINTEXT
  std::string kafka_sasl_url;  // SASL_PLAINTEXT, mechanism PLAIN
  std::string kafka_sasl_user;
  std::string kafka_sasl_password;
  std::string postgres_url;  // postgresql://host:port/database
  std::string postgres_user;
  std::string postgres_password;
  std::string postgres_db;
  std::string postgres_host;
  int postgres_port = 0;

  // For libpq and libpqxx.
  std::string PostgresConnectionString() const;
};

// The peers of this run. Ends the test program with a message when there are none.
const Peers& RunningPeers();

// `base` with a suffix no other test of this run has: names of topics, tables, groups.
std::string UniqueName(const std::string& base);

// Creates a topic on a broker and waits until its leaders answer. Ends the test program on failure.
void CreateTopic(const std::string& kafka_url, const std::string& topic, int partitions);

}  // namespace watershed::test
