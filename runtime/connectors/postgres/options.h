// What job files may say of the `postgres` sink, and the same as values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/postgres/connection_url.h"
#include "runtime/types/result.h"

namespace watershed {

ConnectorSpec PostgresSpec();

enum class PostgresDelivery : uint8_t {
  kExactlyOnce,  // with a table of progress beside the target
  kAtLeastOnce,  // at once, and again after a failure
  kUpsert,       // at once; rows of the same primary key replace one another
};

struct PostgresSinkOptions {
  PostgresUrl url;     // user, password and database already those in force
  std::string schema;  // empty: found on the search path
  std::string table;
  bool create_tables = false;
  PostgresDelivery delivery = PostgresDelivery::kExactlyOnce;
  std::chrono::seconds connect_timeout{10};
  std::chrono::milliseconds lock_timeout{30'000};

  // "analytics.sessions in db at host:5432", for messages.
  std::string Describe() const;
};

Result<PostgresSinkOptions> ParsePostgresSinkOptions(const OptionMap& options);

}  // namespace watershed
