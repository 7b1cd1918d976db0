// The fixture itself: both peers answer, and a peer of a test's own comes back with its data.
#include "tests/support/peers.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include "tests/support/owned_peer.h"

namespace watershed::test {
namespace {

TEST(Peers, PostgresAnswers) {
  PGconn* connection = PQconnectdb(RunningPeers().PostgresConnectionString().c_str());
  EXPECT_EQ(PQstatus(connection), CONNECTION_OK) << PQerrorMessage(connection);
  EXPECT_EQ(PQserverVersion(connection) / 10000, 15);
  PQfinish(connection);
}

TEST(Peers, PostgresChecksPasswords) {
  PGconn* connection =
      PQconnectdb((RunningPeers().PostgresConnectionString() + " password=wrong").c_str());
  EXPECT_EQ(PQstatus(connection), CONNECTION_BAD);
  PQfinish(connection);
}

TEST(Peers, OwnBrokerKeepsPortAndTopicsAcrossARestart) {
  OwnedPeer broker(OwnedPeer::Kind::kKafka);
  CreateTopic(broker.url(), "kept", 2);
  broker.Stop();
  broker.Start();
  EXPECT_EXIT(CreateTopic(broker.url(), "kept", 2), testing::ExitedWithCode(1), "failed");
}

}  // namespace
}  // namespace watershed::test
