// What job files may say of the `postgres` sink, and the same as values.
#pragma once

#include <chrono>
#include <string>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/postgres/connection_url.h"
#include "runtime/types/result.h"

namespace watershed {

ConnectorSpec PostgresSpec();

struct PostgresSinkOptions {
  PostgresUrl url;     // user, password and database already those in force
  std::string schema;  // empty: found on the search path
  std::string table;
  bool create_tables = false;
  std::chrono::seconds connect_timeout{10};

  // "analytics.sessions in db at host:5432", for messages.
  std::string Describe() const;
};

Result<PostgresSinkOptions> ParsePostgresSinkOptions(const OptionMap& options);

}  // namespace watershed
