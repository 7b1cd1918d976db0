#include "runtime/job/column_pruning.h"

#include <string>

#include "runtime/types/dead_letter.h"
#include "runtime/types/schema_proto.h"

namespace watershed {
namespace {

using StreamKey = std::pair<std::string, std::string>;

StreamKey KeyOf(const v1::OutputRef& ref) { return {ref.node(), ref.side_output()}; }

v1::Schema DeadLetterSchemaProto() {
  v1::Schema schema;
  SchemaToProto(*DeadLetterSchema(), &schema);
  return schema;
}

class Pruner {
 public:
  explicit Pruner(const v1::JobGraph& graph) : graph_(graph) {}

  Result<UsedColumns> Run() {
    WS_RETURN_IF_ERROR(CollectSchemas());
    for (const v1::SinkNode& sink : graph_.sinks()) WS_RETURN_IF_ERROR(VisitSink(sink));
    for (int i = graph_.operators_size() - 1; i >= 0; --i) {
      const v1::OperatorNode& op = graph_.operators(i);
      WS_RETURN_IF_ERROR(op.has_project() ? VisitProject(op) : VisitWindow(op));
    }
    for (const v1::SourceNode& source : graph_.sources()) {
      if (!source.has_watermark()) continue;
      const StreamKey stream{source.name(), ""};
      WS_RETURN_IF_ERROR(Need(stream, source.watermark().column(), source.name()));
    }
    for (const auto& [stream, schema] : schemas_) {
      if (stream.second.empty() && !read_.contains(stream)) {
        return UserError("'{}' is the input of nothing; remove it", stream.first);
      }
    }
    return std::move(used_);
  }

 private:
  Status AddSchema(const StreamKey& stream, const v1::Schema& schema) {
    if (schemas_.emplace(stream, &schema).second) return Ok();
    return UserError("two nodes of the job are named '{}'", stream.first);
  }

  Status CollectSchemas() {
    for (const v1::SourceNode& source : graph_.sources()) {
      WS_RETURN_IF_ERROR(AddSchema({source.name(), ""}, source.schema()));
      if (source.on_error().action() != v1::OnError::DEAD_LETTER) continue;
      WS_RETURN_IF_ERROR(
          AddSchema({source.name(), std::string(kDeadLetterOutput)}, dead_letter_schema_));
    }
    for (const v1::OperatorNode& op : graph_.operators()) {
      const auto input = schemas_.find(KeyOf(op.input()));
      if (input == schemas_.end()) {
        return UserError("operator '{}': its input '{}' is no source and no earlier operator",
                         op.name(), op.input().node());
      }
      if (!op.has_project() && !op.has_window_aggregate()) {
        return UserError("operator '{}' is of a kind that this version does not know", op.name());
      }
      read_.insert(KeyOf(op.input()));
      WS_RETURN_IF_ERROR(AddSchema({op.name(), ""}, op.output_schema()));
      if (op.has_window_aggregate() && op.window_aggregate().late_to_side_output()) {
        WS_RETURN_IF_ERROR(AddSchema({op.name(), "late"}, *input->second));
      }
    }
    return Ok();
  }

  Status Need(const StreamKey& stream, const std::string& column, const std::string& user) {
    const auto schema = schemas_.find(stream);
    if (schema == schemas_.end()) {
      return UserError("'{}': its input '{}{}{}' does not exist", user, stream.first,
                       stream.second.empty() ? "" : ".", stream.second);
    }
    for (const v1::Field& field : schema->second->fields()) {
      if (field.name() != column) continue;
      used_[stream].insert(column);
      return Ok();
    }
    return UserError("'{}': its input '{}' has no column '{}'", user, stream.first, column);
  }

  Status VisitSink(const v1::SinkNode& sink) {
    const StreamKey input = KeyOf(sink.input());
    for (const v1::Project::Column& column : sink.columns()) {
      WS_RETURN_IF_ERROR(Need(input, column.input(), sink.name()));
    }
    read_.insert(input);
    const auto schema = schemas_.find(input);
    if (schema == schemas_.end()) {
      return UserError("sink '{}': its input '{}' does not exist", sink.name(), input.first);
    }
    if (sink.columns_size() > 0) return Ok();
    for (const v1::Field& field : schema->second->fields()) used_[input].insert(field.name());
    return Ok();
  }

  Status VisitProject(const v1::OperatorNode& op) {
    const std::set<std::string>& used = used_[{op.name(), ""}];
    for (const v1::Project::Column& column : op.project().columns()) {
      if (!used.contains(column.output())) continue;
      WS_RETURN_IF_ERROR(Need(KeyOf(op.input()), column.input(), op.name()));
    }
    return Ok();
  }

  Status VisitWindow(const v1::OperatorNode& op) {
    const StreamKey input = KeyOf(op.input());
    const v1::WindowAggregate& window = op.window_aggregate();
    for (const std::string& key : window.keys()) {
      WS_RETURN_IF_ERROR(Need(input, key, op.name()));
    }
    for (const v1::AggregateCall& call : window.aggregates()) {
      if (call.function() == v1::AggregateCall::COUNT_STAR) continue;
      WS_RETURN_IF_ERROR(Need(input, call.input_column(), op.name()));
    }
    const v1::Schema& schema = *schemas_.at(input);
    const int event_time = schema.has_event_time_index() ? schema.event_time_index() : -1;
    if (event_time < 0 || event_time >= schema.fields_size()) {
      return UserError("operator '{}': a window needs an event time, but its input '{}' has none",
                       op.name(), input.first);
    }
    WS_RETURN_IF_ERROR(Need(input, schema.fields(event_time).name(), op.name()));
    if (!window.late_to_side_output()) return Ok();
    for (const std::string& column : used_[{op.name(), "late"}]) {
      WS_RETURN_IF_ERROR(Need(input, column, op.name()));
    }
    return Ok();
  }

  const v1::JobGraph& graph_;
  const v1::Schema dead_letter_schema_ = DeadLetterSchemaProto();
  std::map<StreamKey, const v1::Schema*> schemas_;
  std::set<StreamKey> read_;
  UsedColumns used_;
};

}  // namespace

Result<UsedColumns> FindUsedColumns(const v1::JobGraph& graph) { return Pruner(graph).Run(); }

}  // namespace watershed
