#include "runtime/connectors/postgres/connection_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace watershed {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

PostgresUrl Parse(std::string_view text) {
  const auto url = ParsePostgresUrl(text);
  EXPECT_TRUE(url) << text << ": " << (url ? "" : url.error().message);
  return url.value_or(PostgresUrl());
}

TEST(PostgresUrl, BothSpellings) {
  for (const char* text :
       {"jdbc:postgresql://db.example:6543/web", "postgresql://db.example:6543/web",
        "postgres://db.example:6543/web", " postgresql://db.example:6543/web "}) {
    const PostgresUrl url = Parse(text);
    EXPECT_EQ(url.host, "db.example") << text;
    EXPECT_EQ(url.port, "6543") << text;
    EXPECT_EQ(url.database, "web") << text;
    EXPECT_EQ(url.user, "") << text;
  }
}

TEST(PostgresUrl, PartsMayBeMissing) {
  EXPECT_EQ(Parse("jdbc:postgresql:web").database, "web");
  EXPECT_EQ(Parse("jdbc:postgresql:web").host, "localhost");
  EXPECT_EQ(Parse("postgresql:///web").host, "");
  EXPECT_EQ(Parse("postgresql://h").database, "");
  EXPECT_EQ(Parse("postgresql://h/").port, "");
}

TEST(PostgresUrl, LoginAndEscapes) {
  const PostgresUrl url = Parse("postgresql://us%40er:p%3Aw%2F@h/d%20b");
  EXPECT_EQ(url.user, "us@er");
  EXPECT_EQ(url.password, "p:w/");
  EXPECT_EQ(url.database, "d b");
  EXPECT_EQ(Parse("postgresql://u:a@b@h/d").password, "a@b");
  const PostgresUrl jdbc = Parse("jdbc:postgresql://h/d?user=u&password=p%26q");
  EXPECT_EQ(jdbc.user, "u");
  EXPECT_EQ(jdbc.password, "p&q");
}

TEST(PostgresUrl, ParametersAreTranslatedFromJdbc) {
  EXPECT_THAT(Parse("jdbc:postgresql://h/d?ssl=true&connectTimeout=5&ApplicationName=x&"
                    "reWriteBatchedInserts=true&sslrootcert=/ca.pem&currentSchema=web")
                  .parameters,
              UnorderedElementsAre(Pair("sslmode", "verify-full"), Pair("connect_timeout", "5"),
                                   Pair("application_name", "x"), Pair("sslrootcert", "/ca.pem"),
                                   Pair("options", "-c search_path=web")));
  EXPECT_THAT(Parse("jdbc:postgresql://h/d?sslmode=require&ssl=true").parameters,
              UnorderedElementsAre(Pair("sslmode", "require")));
}

TEST(PostgresUrl, SeveralHostsAndIpv6) {
  const PostgresUrl url = Parse("jdbc:postgresql://a:1,b/d");
  EXPECT_EQ(url.host, "a,b");
  EXPECT_EQ(url.port, "1,5432");
  EXPECT_EQ(Parse("postgresql://[::1]:6543/d").host, "::1");
  EXPECT_EQ(Parse("postgresql://[::1]:6543/d").port, "6543");
}

TEST(PostgresUrl, WhatIsWrongIsSaidWithoutThePassword) {
  for (const char* bad : {"", "mysql://u:hidden@h/d", "h:5432/d", "postgresql:d",
                          "postgresql://u:hidden@h:port/d", "postgresql://u:hidden%zz@h/d",
                          "postgresql://u:hidden@h:70000/d", "jdbc:postgres://u:hidden@h/d"}) {
    const auto url = ParsePostgresUrl(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_EQ(url.error().domain, ErrorDomain::kUser);
    EXPECT_THAT(url.error().message, Not(HasSubstr("hidden"))) << bad;
  }
}

}  // namespace
}  // namespace watershed
