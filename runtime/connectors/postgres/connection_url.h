// Where a PostgreSQL server is: JDBC URLs and libpq URIs, taken apart.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runtime/types/result.h"

namespace watershed {

struct PostgresUrl {
  std::string host;  // several separated by commas, as libpq takes them; empty = libpq's default
  std::string port;  // as many as hosts, or one
  std::string database;  // empty = none named
  std::string user;
  std::string password;
  std::map<std::string, std::string> parameters;  // libpq's names: sslmode, sslrootcert, …
};

// Accepts jdbc:postgresql://host:port/db?user=…&sslmode=…, jdbc:postgresql:db,
// postgresql://user:pw@host/db and postgres://…; percent-escapes are resolved. JDBC's own
// parameters that libpq has under another name are translated (ssl=true, connectTimeout,
// ApplicationName, currentSchema), those that only make sense in JDBC (reWriteBatchedInserts, …)
// are dropped. Never puts the password into an error.
Result<PostgresUrl> ParsePostgresUrl(std::string_view url);

}  // namespace watershed
