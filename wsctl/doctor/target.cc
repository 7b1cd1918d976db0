#include "wsctl/doctor/target.h"

#include <fmt/format.h>

#include "runtime/connectors/filesystem/options.h"
#include "runtime/connectors/postgres/connection.h"
#include "runtime/connectors/registry.h"
#include "runtime/formats/registry.h"
#include "runtime/types/schema_proto.h"
#include "wsctl/doctor/directory.h"

namespace watershed {
namespace {

// What Sink::Open finds: it connects, and checks the target against the rows.
Status Open(const std::string& job_name, const v1::PlanNode& node, const v1::Connector& connector) {
  MetricRegistry registry;
  MetricGroup metrics(&registry, {});
  ConnectorContext context;
  context.job_name = job_name + "-doctor";
  context.operator_id = node.id();
  context.clock = &SystemClock();
  context.metrics = &metrics;
  WS_ASSIGN_OR_RETURN(SchemaPtr schema, SchemaFromProto(node.input_schema()));
  std::unique_ptr<Encoder> encoder;
  if (!node.sink().format().name().empty()) {
    WS_ASSIGN_OR_RETURN(encoder, MakeEncoder(node.sink().format(), schema));
  }
  WS_ASSIGN_OR_RETURN(const auto sink,
                      MakeSink(connector, std::move(schema), std::move(encoder), context));
  const Status opened = sink->Open();
  sink->Close();
  return opened;
}

// Of a table that the job shall make: absent when it is there already.
Result<std::optional<Finding>> ExamineCreation(const v1::Connector& connector) {
  WS_ASSIGN_OR_RETURN(
      const PostgresSinkOptions options,
      ParsePostgresSinkOptions({connector.options().begin(), connector.options().end()}));
  WS_ASSIGN_OR_RETURN(const auto connection,
                      PostgresConnection::Connect(options, "watershed-doctor"));
  const std::string table = connection->Quote(options.table);
  WS_ASSIGN_OR_RETURN(
      const QueryRows there,
      connection->Query(
          "SELECT to_regclass($1)::text",
          {options.schema.empty() ? table : connection->Quote(options.schema) + "." + table}));
  if (!there[0][0].empty()) return std::optional<Finding>();
  WS_ASSIGN_OR_RETURN(
      const QueryRows rights,
      connection->Query(
          "SELECT n.nspname, current_user, has_schema_privilege(n.oid, 'CREATE')::text "
          "FROM pg_namespace n WHERE n.nspname = "
          "coalesce(nullif($1, ''), current_schema())",
          {options.schema}));
  if (rights.empty()) {
    return std::optional<Finding>(
        {.health = Health::kError,
         .option = "table-name",
         .check = "table",
         .message = fmt::format("there is no schema '{}': CREATE SCHEMA {}", options.schema,
                                connection->Quote(options.schema))});
  }
  if (rights[0][2] != "true") {
    return std::optional<Finding>(
        {.health = Health::kError,
         .option = "create-tables",
         .check = "table",
         .message = fmt::format("{} does not exist, and user '{}' may not create it: GRANT CREATE "
                                "ON SCHEMA {} TO \"{}\"",
                                options.Describe(), rights[0][1], rights[0][0], rights[0][1])});
  }
  return std::optional<Finding>(
      {.option = "table-name",
       .check = "table",
       .message = fmt::format("{} does not exist; the job will create it", options.Describe())});
}

bool IsTrue(const v1::Connector& connector, const char* option) {
  const auto found = connector.options().find(option);
  return found != connector.options().end() && found->second == "true";
}

// Without opening the sink, which makes the directory.
Finding ExamineDirectory(const v1::Connector& connector) {
  const auto options =
      ParseFilesystemSinkOptions({connector.options().begin(), connector.options().end()});
  if (!options) return {Health::kError, "", "path", "directory", options.error().message};
  if (const Status writable = CheckWritable(options->directory); !writable) {
    return {Health::kError, "", "path", "directory", writable.error().message};
  }
  return {Health::kOk, "", "path", "directory",
          fmt::format("{} can be written to, or made, from here; TaskManagers must see the same",
                      options->directory)};
}

Finding Examine(const std::string& job_name, const v1::PlanNode& node) {
  const v1::Connector& connector = node.sink().connector();
  if (connector.name() == "filesystem") return ExamineDirectory(connector);
  const bool is_table = connector.name() == "postgres";
  const char* const option = is_table ? "table-name" : "topic";
  const char* const check = is_table ? "table" : "topic";
  v1::Connector changing_nothing = connector;
  if (is_table && IsTrue(connector, "create-tables")) {
    auto creation = ExamineCreation(connector);
    if (!creation) return {Health::kError, "", "url", check, creation.error().message};
    if (*creation) return std::move(**creation);
    (*changing_nothing.mutable_options())["create-tables"] = "false";
  }
  if (const Status opened = Open(job_name, node, changing_nothing); !opened) {
    return {Health::kError, "", option, check, opened.error().message};
  }
  if (is_table) {
    return {Health::kOk, "", option, check,
            fmt::format("its table has the {} columns that are written, with types that fit, "
                        "rows may be inserted, and what the delivery needs is there or may be made",
                        node.input_schema().fields_size())};
  }
  if (connector.name() == "kafka") {
    return {Health::kOk, "", option, check,
            "its topic is there; whether it may be written to is known at the first record"};
  }
  return {Health::kOk, "", "connector", "connection",
          fmt::format("'{}' needs nothing", connector.name())};
}

}  // namespace

void ExamineSink(const std::string& job_name, const v1::PlanNode& node,
                 std::vector<Finding>& findings) {
  Finding finding = Examine(job_name, node);
  finding.subject = "sink " + node.id();
  findings.push_back(std::move(finding));
}

}  // namespace watershed
