#include "runtime/job/physical_planner.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <map>
#include <utility>
#include <vector>

#include "runtime/job/column_pruning.h"
#include "runtime/job/plan_names.h"
#include "runtime/operators/aggregate_schema.h"
#include "runtime/types/dead_letter.h"
#include "runtime/types/schema_proto.h"

namespace watershed {
namespace {

using StreamKey = std::pair<std::string, std::string>;

// A stream as it runs: which node of which vertex makes it, and what is left of its columns.
struct PlannedStream {
  int vertex = 0;
  std::string node_id;
  std::string side_output;
  v1::Schema schema;
};

int IndexOf(const v1::Schema& schema, const std::string& column) {
  for (int i = 0; i < schema.fields_size(); ++i) {
    if (schema.fields(i).name() == column) return i;
  }
  return -1;
}

// The columns of `schema` that are in `used`, in their order.
v1::Schema Pruned(const v1::Schema& schema, const std::set<std::string>& used) {
  v1::Schema pruned;
  for (int i = 0; i < schema.fields_size(); ++i) {
    if (!used.contains(schema.fields(i).name())) continue;
    if (schema.has_event_time_index() && schema.event_time_index() == i) {
      pruned.set_event_time_index(pruned.fields_size());
    }
    *pruned.add_fields() = schema.fields(i);
  }
  return pruned;
}

// Vertices are known by what begins them, so that an added sink changes no id.
std::string VertexIdOf(const std::string& head_node_id) {
  const XXH128_hash_t hash = XXH3_128bits(head_node_id.data(), head_node_id.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

using Selection = std::vector<std::pair<std::string, std::string>>;  // output <- input

class Planner {
 public:
  Planner(const v1::JobGraph& graph, const PlanOptions& options)
      : graph_(graph), options_(options) {}

  Result<v1::PhysicalPlan> Run() {
    WS_RETURN_IF_ERROR(CheckParallelism());
    WS_ASSIGN_OR_RETURN(used_, FindUsedColumns(graph_));
    plan_.set_job_name(graph_.name());
    for (const v1::SourceNode& source : graph_.sources()) PlanSource(source);
    for (const v1::OperatorNode& op : graph_.operators()) {
      if (op.has_project()) {
        PlanProject(op);
      } else {
        WS_RETURN_IF_ERROR(PlanWindow(op));
      }
    }
    for (const v1::SinkNode& sink : graph_.sinks()) PlanSink(sink);
    for (v1::Vertex& vertex : *plan_.mutable_vertices()) vertex.set_name(VertexName(vertex));
    return std::move(plan_);
  }

 private:
  Status CheckParallelism() {
    const int32_t max =
        graph_.has_max_parallelism() ? graph_.max_parallelism() : options_.max_parallelism;
    plan_.set_max_parallelism(max);
    parallelism_ = options_.parallelism       ? *options_.parallelism
                   : graph_.has_parallelism() ? graph_.parallelism()
                                              : options_.default_parallelism;
    WS_RETURN_IF_ERROR(CheckOne("job", graph_.name(), parallelism_, max));
    for (const v1::SourceNode& source : graph_.sources()) {
      WS_RETURN_IF_ERROR(CheckOne("source", source.name(),
                                  source.has_parallelism() ? source.parallelism() : 1, max));
    }
    for (const v1::OperatorNode& op : graph_.operators()) {
      WS_RETURN_IF_ERROR(
          CheckOne("operator", op.name(), op.has_parallelism() ? op.parallelism() : 1, max));
    }
    return Ok();
  }

  static Status CheckOne(const char* what, const std::string& name, int32_t value, int32_t max) {
    if (value >= 1 && value <= max) return Ok();
    return UserError("{} '{}': parallelism {} is not between 1 and max-parallelism {}", what, name,
                     value, max);
  }

  int AddVertex(const std::string& head_node_id, int32_t parallelism) {
    v1::Vertex* vertex = plan_.add_vertices();
    vertex->set_id(VertexIdOf(head_node_id));
    vertex->set_parallelism(parallelism);
    return plan_.vertices_size() - 1;
  }

  // Adds a node behind `input` in its vertex; its kind and output schema are the caller's.
  v1::PlanNode* AddNode(const PlannedStream& input, const std::string& id) {
    v1::PlanNode* node = plan_.mutable_vertices(input.vertex)->add_nodes();
    node->set_id(id);
    v1::NodeInput* from = node->add_inputs();
    from->set_node_id(input.node_id);
    from->set_side_output(input.side_output);
    *node->mutable_input_schema() = input.schema;
    return node;
  }

  void PlanSource(const v1::SourceNode& source) {
    const v1::Schema schema = Pruned(source.schema(), used_[{source.name(), ""}]);
    const int vertex =
        AddVertex(source.name(), source.has_parallelism() ? source.parallelism() : parallelism_);
    v1::PlanNode* scan = plan_.mutable_vertices(vertex)->add_nodes();
    scan->set_id(source.name());
    *scan->mutable_output_schema() = schema;
    *scan->mutable_table_source_scan()->mutable_connector() = source.connector();
    *scan->mutable_table_source_scan()->mutable_on_error() = source.on_error();
    v1::Format* format = scan->mutable_table_source_scan()->mutable_format();
    *format = source.format();
    format->clear_columns();
    for (const v1::FormatColumn& column : source.format().columns()) {
      if (IndexOf(schema, column.column()) >= 0) *format->add_columns() = column;
    }
    scan->set_name(DescribeNode(*scan));
    PlannedStream stream{vertex, scan->id(), "", schema};
    if (source.on_error().action() == v1::OnError::DEAD_LETTER) {
      PlannedStream dead_letters{vertex, scan->id(), std::string(kDeadLetterOutput), {}};
      SchemaToProto(*DeadLetterSchema(), &dead_letters.schema);
      streams_[{source.name(), dead_letters.side_output}] = std::move(dead_letters);
    }
    if (source.has_watermark()) {
      v1::PlanNode* assigner = AddNode(stream, source.name() + "/watermark");
      *assigner->mutable_watermark_assigner()->mutable_watermark() = source.watermark();
      *assigner->mutable_output_schema() = schema;
      assigner->set_name(DescribeNode(*assigner));
      stream.node_id = assigner->id();
    }
    streams_[{source.name(), ""}] = std::move(stream);
  }

  // `stream` with exactly these columns: a Calc, or nothing where it has them already.
  PlannedStream Select(const PlannedStream& stream, const Selection& columns,
                       const std::string& calc_id) {
    bool same = stream.schema.fields_size() == static_cast<int>(columns.size());
    v1::Schema schema;
    v1::Calc calc;
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto& [output, input] = columns[i];
      const int index = IndexOf(stream.schema, input);
      same = same && index == static_cast<int>(i) && output == input;
      calc.add_columns(index);
      if (stream.schema.has_event_time_index() && stream.schema.event_time_index() == index &&
          !schema.has_event_time_index()) {
        schema.set_event_time_index(static_cast<int>(i));
      }
      v1::Field* field = schema.add_fields();
      *field = stream.schema.fields(index);
      field->set_name(output);
    }
    if (same) return stream;
    v1::PlanNode* node = AddNode(stream, calc_id);
    *node->mutable_calc() = std::move(calc);
    *node->mutable_output_schema() = schema;
    node->set_name(DescribeNode(*node));
    return {stream.vertex, calc_id, "", std::move(schema)};
  }

  const PlannedStream& InputOf(const v1::OutputRef& ref) {
    return streams_.at({ref.node(), ref.side_output()});
  }

  void PlanProject(const v1::OperatorNode& op) {
    const std::set<std::string>& used = used_[{op.name(), ""}];
    Selection columns;
    for (const v1::Project::Column& column : op.project().columns()) {
      if (used.contains(column.output())) columns.emplace_back(column.output(), column.input());
    }
    streams_[{op.name(), ""}] = Select(InputOf(op.input()), columns, op.name());
  }

  Status PlanWindow(const v1::OperatorNode& op) {
    const v1::WindowAggregate& aggregate = op.window_aggregate();
    const bool two_phase = aggregate.window().has_tumbling() && !aggregate.late_to_side_output();
    PlannedStream sent;
    if (two_phase) {
      WS_ASSIGN_OR_RETURN(sent, PlanLocalAggregate(op));
    } else {
      sent = PlanRowsForWindow(op);
    }
    // Without keys there is one window at a time for all rows: one subtask.
    const int32_t parallelism = aggregate.keys().empty() ? 1
                                : op.has_parallelism()   ? op.parallelism()
                                                         : parallelism_;
    const int vertex = AddVertex(op.name(), parallelism);
    AddEdge(op, sent, vertex);
    v1::PlanNode* node = plan_.mutable_vertices(vertex)->add_nodes();
    node->set_id(op.name());
    *node->mutable_input_schema() = sent.schema;
    *node->mutable_output_schema() = op.output_schema();
    if (two_phase) {
      *node->mutable_global_window_aggregate()->mutable_aggregate() = aggregate;
    } else {
      *node->mutable_window_aggregate()->mutable_aggregate() = aggregate;
    }
    node->set_name(DescribeNode(*node));
    streams_[{op.name(), ""}] = {vertex, op.name(), "", op.output_schema()};
    if (aggregate.late_to_side_output()) {
      streams_[{op.name(), "late"}] = {vertex, op.name(), "late", sent.schema};
    }
    return Ok();
  }

  Result<PlannedStream> PlanLocalAggregate(const v1::OperatorNode& op) {
    const PlannedStream& input = InputOf(op.input());
    WS_ASSIGN_OR_RETURN(const SchemaPtr schema, SchemaFromProto(input.schema));
    auto partial = PartialAggregateSchema(op.window_aggregate(), *schema);
    if (!partial) return tl::make_unexpected(std::move(partial).error().Within(op.name()));
    v1::PlanNode* node = AddNode(input, op.name() + "/local");
    *node->mutable_local_window_aggregate()->mutable_aggregate() = op.window_aggregate();
    SchemaToProto(*partial, node->mutable_output_schema());
    node->set_name(DescribeNode(*node));
    return PlannedStream{input.vertex, node->id(), "", node->output_schema()};
  }

  // The rows of a window without a local part, with only the columns that it needs.
  PlannedStream PlanRowsForWindow(const v1::OperatorNode& op) {
    const PlannedStream& input = InputOf(op.input());
    const v1::WindowAggregate& aggregate = op.window_aggregate();
    std::set<std::string> needed(aggregate.keys().begin(), aggregate.keys().end());
    needed.insert(input.schema.fields(input.schema.event_time_index()).name());
    for (const v1::AggregateCall& call : aggregate.aggregates()) needed.insert(call.input_column());
    const std::set<std::string>& late = used_[{op.name(), "late"}];
    needed.insert(late.begin(), late.end());
    Selection columns;
    for (const v1::Field& field : input.schema.fields()) {
      if (needed.contains(field.name())) columns.emplace_back(field.name(), field.name());
    }
    return Select(input, columns, op.name() + "/input");
  }

  void AddEdge(const v1::OperatorNode& op, const PlannedStream& sent, int target_vertex) {
    v1::Edge* edge = plan_.add_edges();
    edge->set_source_vertex_id(plan_.vertices(sent.vertex).id());
    edge->set_source_node_id(sent.node_id);
    edge->set_side_output(sent.side_output);
    edge->set_target_vertex_id(plan_.vertices(target_vertex).id());
    edge->set_target_node_id(op.name());
    for (const std::string& key : op.window_aggregate().keys()) {
      edge->add_key_columns(IndexOf(sent.schema, key));
    }
    *edge->mutable_schema() = sent.schema;
  }

  void PlanSink(const v1::SinkNode& sink) {
    PlannedStream input = InputOf(sink.input());
    Selection columns;
    for (const v1::Project::Column& column : sink.columns()) {
      columns.emplace_back(column.output(), column.input());
    }
    // Without a list the sink takes all, and so nothing was pruned from its input.
    if (!columns.empty()) input = Select(input, columns, sink.name() + "/input");
    v1::PlanNode* node = AddNode(input, sink.name());
    *node->mutable_sink()->mutable_connector() = sink.connector();
    *node->mutable_sink()->mutable_format() = sink.format();
    node->set_name(DescribeNode(*node));
  }

  const v1::JobGraph& graph_;
  const PlanOptions& options_;
  int32_t parallelism_ = 1;
  UsedColumns used_;
  std::map<StreamKey, PlannedStream> streams_;
  v1::PhysicalPlan plan_;
};

}  // namespace

Result<v1::PhysicalPlan> PlanJob(const v1::JobGraph& graph, const PlanOptions& options) {
  return Planner(graph, options).Run();
}

}  // namespace watershed
