#include "runtime/connectors/postgres/options.h"

#include <array>
#include <utility>

#include "runtime/connectors/option_values.h"

namespace watershed {
namespace {

constexpr std::array kDeliveries = {
    std::pair<std::string_view, PostgresDelivery>{"exactly-once", PostgresDelivery::kExactlyOnce},
    std::pair<std::string_view, PostgresDelivery>{"at-least-once", PostgresDelivery::kAtLeastOnce},
    std::pair<std::string_view, PostgresDelivery>{"upsert", PostgresDelivery::kUpsert},
};

// The parts of `schema.table`, each of which may stand in double quotes ("" inside is one quote).
Result<std::pair<std::string, std::string>> ParseTableName(std::string_view text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      parts.back().push_back('"');
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  const bool has_empty_part = parts.front().empty() || parts.back().empty();
  if (quoted || has_empty_part || parts.size() > 2) {
    return UserError("table-name: expected table or schema.table, got '{}'", text);
  }
  if (parts.size() == 1) return std::pair(std::string(), parts[0]);
  return std::pair(parts[0], parts[1]);
}

std::vector<OptionProblem> Check(const OptionMap& options, bool /*is_sink*/) {
  std::vector<OptionProblem> problems;
  const std::string* url = FindOption(options, "url");
  if (url != nullptr) {
    const auto parsed = ParsePostgresUrl(*url);
    if (!parsed) {
      problems.push_back({"url", parsed.error().message});
    } else if (parsed->database.empty() && FindOption(options, "database") == nullptr) {
      problems.push_back({"url", "the URL names no database: end it with /db or give 'database'"});
    }
  }
  if (const std::string* table = FindOption(options, "table-name"); table != nullptr) {
    const auto parsed = ParseTableName(*table);
    if (!parsed) problems.push_back({"table-name", parsed.error().message});
  }
  return problems;
}

SinkGuarantee GuaranteeOf(const OptionMap& options) {
  const std::string delivery = OptionOr(options, "delivery", "exactly-once");
  if (delivery == "upsert") {
    return {
        "at-least-once",
        "rows are written at once, and a row replaces the one with its primary key: after a "
        "failure older values come back until the job has caught up, none is missing or double"};
  }
  if (delivery == "at-least-once") return kAtLeastOnceGuarantee;
  return {"exactly-once",
          "rows become visible in one transaction when their checkpoint is complete, each once; "
          "the table needs no key, a table watershed_sink_progress stands beside it",
          /*visible_at_checkpoint=*/true};
}

}  // namespace

ConnectorSpec PostgresSpec() {
  return {
      .name = "postgres",
      .is_sink = true,
      .sink_options =
          {
              // Secret because it may carry a password: postgresql://user:password@host/db.
              {.name = "url",
               .required = true,
               .secret = true,
               .description = "jdbc:postgresql://host:5432/db or postgresql://host:5432/db"},
              {.name = "username", .description = "Overrides the URL's"},
              {.name = "password", .secret = true, .description = "Overrides the URL's"},
              {.name = "database", .description = "Overrides the URL's"},
              {.name = "table-name",
               .required = true,
               .description = "table or schema.table, spelt as PostgreSQL stores it"},
              {.name = "delivery",
               .type = OptionType::kEnum,
               .default_value = "exactly-once",
               .choices = {"exactly-once", "at-least-once", "upsert"},
               .description =
                   "exactly-once: rows become visible once their checkpoint is complete, "
                   "each once, on any table; at-least-once: within a second, again after "
                   "a failure; upsert: the same, but a row replaces the one with its "
                   "primary key"},
              {.name = "create-tables",
               .type = OptionType::kBool,
               .default_value = "false",
               .description = "Create the table, if it is missing, from the columns written"},
              {.name = "connect-timeout",
               .type = OptionType::kDuration,
               .default_value = "10s",
               .description = "How long one attempt to connect may take"},
              {.name = "lock-timeout",
               .type = OptionType::kDuration,
               .default_value = "30s",
               .description = "How long a commit waits for a lock that somebody else holds before "
                              "it says so and tries again"},
          },
      .sink_guarantee = GuaranteeOf,
      .check = Check,
  };
}

std::string PostgresSinkOptions::Describe() const {
  return fmt::format("table {}{}{} of database {} at {}:{}", schema, schema.empty() ? "" : ".",
                     table, url.database, url.host.empty() ? "localhost" : url.host,
                     url.port.empty() ? "5432" : url.port);
}

Result<PostgresSinkOptions> ParsePostgresSinkOptions(const OptionMap& options) {
  const auto problems = Check(options, true);
  if (!problems.empty()) return UserError("{}", problems.front().message);
  PostgresSinkOptions parsed;
  WS_ASSIGN_OR_RETURN(parsed.url, ParsePostgresUrl(OptionOr(options, "url", "")));
  parsed.url.user = OptionOr(options, "username", parsed.url.user);
  parsed.url.password = OptionOr(options, "password", parsed.url.password);
  parsed.url.database = OptionOr(options, "database", parsed.url.database);
  WS_ASSIGN_OR_RETURN(auto name, ParseTableName(OptionOr(options, "table-name", "")));
  parsed.schema = std::move(name.first);
  parsed.table = std::move(name.second);
  WS_ASSIGN_OR_RETURN(const auto create, ReadBool(options, "create-tables"));
  parsed.create_tables = create.value_or(false);
  WS_ASSIGN_OR_RETURN(parsed.delivery,
                      ParseChoice(options, "delivery", "exactly-once", kDeliveries));
  WS_ASSIGN_OR_RETURN(const auto timeout, ReadDuration(options, "connect-timeout"));
  if (timeout) {
    // libpq counts whole seconds, and takes 1 for 2.
    parsed.connect_timeout =
        std::max(std::chrono::ceil<std::chrono::seconds>(*timeout), std::chrono::seconds(2));
  }
  WS_ASSIGN_OR_RETURN(const auto lock_timeout, ReadDuration(options, "lock-timeout"));
  if (lock_timeout) {
    parsed.lock_timeout = std::chrono::ceil<std::chrono::milliseconds>(*lock_timeout);
  }
  return parsed;
}

}  // namespace watershed
