#include "runtime/engine/task_builder.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/engine/connector_factory.h"
#include "runtime/engine/edge_writer.h"
#include "runtime/engine/input_gate.h"
#include "runtime/engine/operator_node.h"
#include "runtime/engine/sink_driver.h"
#include "runtime/engine/source_driver.h"
#include "runtime/formats/registry.h"
#include "runtime/job/plan_lookup.h"
#include "runtime/memory/memory_account.h"
#include "runtime/metrics/names.h"
#include "runtime/operators/registry.h"
#include "runtime/types/dead_letter.h"
#include "runtime/types/schema_proto.h"
#include "watershed/v1/checkpoint.pb.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed {
namespace {

RecordDecoder::OnBad OnBadOf(const v1::OnError& on_error) {
  switch (on_error.action()) {
    case v1::OnError::SKIP:
      return RecordDecoder::OnBad::kSkip;
    case v1::OnError::DEAD_LETTER:
      return RecordDecoder::OnBad::kDeadLetter;
    default:
      return RecordDecoder::OnBad::kFail;
  }
}

class TaskBuilder {
 public:
  TaskBuilder(const TaskSpec& spec, const TaskEnvironment& environment,
              const TaskSurroundings& surroundings)
      : spec_(spec),
        environment_(environment),
        mailbox_(surroundings.mailbox),
        directory_(surroundings.directory),
        connectors_(environment.connectors != nullptr ? *environment.connectors
                                                      : BuiltInConnectors()) {}

  Result<TaskParts> Build() {
    WS_RETURN_IF_ERROR(CheckVertex());
    parts_.vertex_name = vertex_->name();
    parts_.metrics = std::make_unique<TaskMetrics>(spec_, vertex_->name(), environment_);
    parts_.chain = std::make_unique<OperatorChain>();
    for (const v1::PlanNode& node : vertex_->nodes()) WS_RETURN_IF_ERROR(AddNode(node));
    for (int i = 0; i < spec_.plan->edges_size(); ++i) {
      if (spec_.plan->edges(i).source_vertex_id() == vertex_->id()) {
        WS_RETURN_IF_ERROR(AddEdgeWriter(i));
      }
    }
    if (scan_ != nullptr) {
      WS_RETURN_IF_ERROR(AddSource());
    } else {
      WS_RETURN_IF_ERROR(AddGate());
    }
    return std::move(parts_);
  }

 private:
  Status CheckVertex() {
    vertex_ = FindVertex(*spec_.plan, spec_.vertex_id);
    if (vertex_ == nullptr) return InternalError("the plan has no vertex '{}'", spec_.vertex_id);
    if (spec_.subtask.value < 0 || spec_.subtask.value >= vertex_->parallelism()) {
      return InternalError("vertex '{}' has no subtask {}", vertex_->name(), spec_.subtask.value);
    }
    return Ok();
  }

  int32_t ParallelismOf(const std::string& vertex_id) const {
    const v1::Vertex* vertex = FindVertex(*spec_.plan, vertex_id);
    return vertex == nullptr ? 0 : vertex->parallelism();
  }

  Result<std::string> MakeDirectory() {
    const std::string path = fmt::format("{}/{}", directory_, directories_++);
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return ExternalError("cannot create the folder '{}': {}", path, error.message());
    return path;
  }

  MetricGroup* AddMetrics(const v1::PlanNode& node) {
    parts_.operator_metrics.push_back(
        parts_.metrics->AddOperator(node.id(), node.name(), node.has_sink()));
    return parts_.operator_metrics.back().get();
  }

  Status AddNode(const v1::PlanNode& node) {
    if (node.has_table_source_scan()) {
      scan_ = &node;
      source_nodes_.push_back(node.id());
      return Ok();
    }
    if (node.has_watermark_assigner()) {
      assigner_ = &node.watermark_assigner();
      source_nodes_.push_back(node.id());
      return Ok();
    }
    return node.has_sink() ? AddSink(node) : AddOperator(node);
  }

  bool IsSourceNode(const std::string& id) const {
    return std::find(source_nodes_.begin(), source_nodes_.end(), id) != source_nodes_.end();
  }

  // Adds `node` to the chain behind the outputs it reads: the heads of the chain read the input.
  Status Attach(std::unique_ptr<ChainNode> node, const std::string& id,
                std::span<const v1::NodeInput* const> inputs) {
    bool is_head = inputs.empty();
    std::string_view side_output;
    for (const v1::NodeInput* input : inputs) {
      if (!IsSourceNode(input->node_id())) continue;
      is_head = true;
      side_output = input->side_output();
    }
    ChainNode* added = parts_.chain->Add(std::move(node), is_head, side_output);
    for (const v1::NodeInput* input : inputs) {
      if (IsSourceNode(input->node_id())) continue;
      const auto parent = operators_.find(input->node_id());
      if (parent == operators_.end()) {
        return InternalError("the plan's node '{}' reads '{}', which is no operator before it", id,
                             input->node_id());
      }
      parent->second->AddConsumer(input->side_output(), added, 0);
    }
    return Ok();
  }

  static std::vector<const v1::NodeInput*> InputsOf(const v1::PlanNode& node) {
    std::vector<const v1::NodeInput*> inputs;
    for (const v1::NodeInput& input : node.inputs()) inputs.push_back(&input);
    return inputs;
  }

  Status AddOperator(const v1::PlanNode& node) {
    WS_ASSIGN_OR_RETURN(auto op, MakeOperator(node));
    OperatorContext context;
    context.job_name = spec_.job_name;
    context.operator_id = node.id();
    context.operator_name = node.name();
    context.subtask = spec_.subtask;
    context.parallelism = vertex_->parallelism();
    context.max_parallelism = spec_.plan->max_parallelism();
    context.key_groups =
        RangeOfSubtask(spec_.subtask, context.max_parallelism, vertex_->parallelism());
    context.clock = environment_.clock;
    context.metrics = AddMetrics(node);
    context.keyed_state = environment_.keyed_state;
    WS_ASSIGN_OR_RETURN(context.state_directory, MakeDirectory());
    context.post = [mailbox = mailbox_](Mail mail) { mailbox->Post(std::move(mail)); };
    if (!node.has_calc()) {
      parts_.metrics->SumLate(&context.metrics->counter(metric_names::kLateRecordsDropped));
    }
    context.snapshots = AddSnapshots();
    auto chained = std::make_unique<OperatorNode>(
        std::move(op), std::move(context), [chain = parts_.chain.get()] { return chain->full(); });
    if (spec_.restore != nullptr) chained->RestoreFrom(spec_.restore, RestoreStorage());
    operators_.emplace(node.id(), chained.get());
    return Attach(std::move(chained), node.id(), InputsOf(node));
  }

  // One each, so that names never meet: every user counts its own files.
  const SnapshotTarget* AddSnapshots() {
    if (spec_.checkpoint_storage == nullptr) return nullptr;
    SnapshotTarget& target = parts_.snapshots.emplace_back();
    target.storage = spec_.checkpoint_storage;
    target.io = environment_.snapshot_io;
    target.post = [mailbox = mailbox_](Mail mail) { mailbox->Post(std::move(mail)); };
    if (environment_.memory != nullptr) {
      target.backlog = std::make_shared<SnapshotBacklog>(environment_.memory);
    }
    target.name_prefix = SharedPrefix(spec_.attempt, spec_.vertex_id, spec_.subtask,
                                      fmt::format("{}-{}", spec_.unique, parts_.snapshots.size()));
    return &target;
  }

  std::shared_ptr<ObjectStorage> RestoreStorage() const {
    return spec_.restore_storage ? spec_.restore_storage : spec_.checkpoint_storage;
  }
  const std::string& Lineage() const {
    return spec_.lineage.empty() ? spec_.job.hex : spec_.lineage;
  }

  SinkTakeover TakeoverOf(const std::string& sink) const {
    SinkTakeover takeover;
    takeover.storage = RestoreStorage();
    if (spec_.checkpoint_storage != nullptr) takeover.rules = {.committers = {spec_.job.hex}};
    if (spec_.restore == nullptr) return takeover;
    if (takeover.rules) {
      takeover.rules->committers.push_back(spec_.restore->job_id());
      takeover.rules->accepts_duplicates = spec_.restore->accepts_duplicates();
    }
    for (const v1::SinkSnapshot& former : spec_.restore->sinks()) {
      if (former.operator_id() != sink) continue;
      takeover.writers.push_back({.writer = {Lineage(), sink, former.writer()},
                                  .last_committed_epoch = {former.last_confirmed_epoch()},
                                  .is_kept = former.has_marker()});
      for (const v1::SegmentRef& ref : former.unconfirmed()) {
        SinkSegment segment{{ref.epoch()}, ref.rows(), ref.payload(), former.writer()};
        takeover.segments.push_back({std::move(segment), FromProto(ref.file())});
      }
    }
    return takeover;
  }

  // A slot has one subtask of every source and sink of the job. 0: not bounded.
  int64_t MemoryOf(const v1::PlanNode& node) const {
    if (environment_.memory == nullptr) return 0;
    int64_t same_kind = 0;
    for (const v1::Vertex& vertex : spec_.plan->vertices()) {
      for (const v1::PlanNode& other : vertex.nodes()) {
        same_kind += other.has_sink() == node.has_sink() &&
                     other.has_table_source_scan() == node.has_table_source_scan();
      }
    }
    const auto share = node.has_sink() ? MemoryShare::kSinks : MemoryShare::kSources;
    return environment_.memory->SlotBytes(share) / std::max<int64_t>(same_kind, 1);
  }

  Result<ConnectorContext> MakeConnectorContext(const v1::PlanNode& node, MetricGroup* metrics) {
    ConnectorContext context;
    context.job_name = spec_.job_name;
    context.job = spec_.job;
    context.operator_id = node.id();
    context.subtask = spec_.subtask;
    context.parallelism = vertex_->parallelism();
    context.clock = environment_.clock;
    context.metrics = metrics;
    WS_ASSIGN_OR_RETURN(context.temporary_directory, MakeDirectory());
    context.memory = environment_.memory;
    context.memory_bytes = MemoryOf(node);
    if (environment_.is_wanted) {
      context.is_current = [is_wanted = environment_.is_wanted, job = spec_.job,
                            attempt = spec_.attempt] { return is_wanted(job, attempt); };
    }
    return context;
  }

  Status AddSink(const v1::PlanNode& node) {
    const v1::SinkExec& exec = node.sink();
    WS_ASSIGN_OR_RETURN(SchemaPtr schema, SchemaFromProto(node.input_schema()));
    std::unique_ptr<Encoder> encoder;
    if (!exec.format().name().empty()) {
      WS_ASSIGN_OR_RETURN(encoder, MakeEncoder(exec.format(), schema));
    }
    WS_ASSIGN_OR_RETURN(const ConnectorContext context,
                        MakeConnectorContext(node, AddMetrics(node)));
    WS_ASSIGN_OR_RETURN(auto sink, connectors_.MakeSink(exec.connector(), std::move(schema),
                                                        std::move(encoder), context));
    SinkDriver::Parameters parameters;
    parameters.writer = {Lineage(), node.id(), spec_.subtask.value};
    parameters.takeover = TakeoverOf(node.id());
    parameters.snapshots = AddSnapshots();
    parameters.memory = environment_.memory;
    parameters.memory_bytes = context.memory_bytes;
    if (environment_.make_sink_runner) parameters.runner = environment_.make_sink_runner();
    parameters.attempt = spec_.attempt;
    parameters.subtask = spec_.subtask;
    parameters.mailbox = mailbox_;
    parameters.clock = environment_.clock;
    parameters.options = environment_.options;
    parameters.metrics = parts_.operator_metrics.back();
    parameters.records_out = &parts_.metrics->records_out();
    parameters.bytes_out = &parts_.metrics->bytes_out();
    const bool takes_dead_letters =
        node.inputs_size() > 0 && node.inputs(0).side_output() == kDeadLetterOutput;
    parameters.records_written = takes_dead_letters ? &parts_.metrics->dead_letters_written()
                                                    : &parts_.metrics->records_written();
    return Attach(std::make_unique<SinkDriver>(std::move(sink), std::move(parameters)), node.id(),
                  InputsOf(node));
  }

  ChannelKey Channel(int edge, int32_t upstream, int32_t downstream) const {
    return {spec_.job, spec_.attempt, edge, {upstream}, {downstream}};
  }

  Status AddEdgeWriter(int index) {
    const v1::Edge& edge = spec_.plan->edges(index);
    WS_ASSIGN_OR_RETURN(SchemaPtr schema, SchemaFromProto(edge.schema()));
    std::vector<std::unique_ptr<ChannelSender>> senders;
    for (int32_t i = 0; i < ParallelismOf(edge.target_vertex_id()); ++i) {
      WS_ASSIGN_OR_RETURN(auto sender, environment_.channels->OpenSender(
                                           Channel(index, spec_.subtask.value, i), schema));
      senders.push_back(std::move(sender));
    }
    if (senders.empty()) {
      return InternalError("edge {} of the plan leads to no vertex: '{}'", index,
                           edge.target_vertex_id());
    }
    EdgeWriter::Parameters parameters;
    parameters.schema = std::move(schema);
    parameters.partitioning.key_columns.assign(edge.key_columns().begin(),
                                               edge.key_columns().end());
    parameters.partitioning.max_parallelism = spec_.plan->max_parallelism();
    parameters.partitioning.parallelism = static_cast<int32_t>(senders.size());
    parameters.partitioning.target_batch_bytes = environment_.options.batch_size_bytes;
    parameters.buffer_timeout = std::chrono::milliseconds(environment_.options.buffer_timeout_ms);
    parameters.mailbox = mailbox_;
    parameters.clock = environment_.clock;
    parameters.records_out = &parts_.metrics->records_out();
    parameters.bytes_out = &parts_.metrics->bytes_out();
    auto writer = std::make_unique<EdgeWriter>(std::move(senders), std::move(parameters));
    v1::NodeInput input;
    input.set_node_id(edge.source_node_id());
    input.set_side_output(edge.side_output());
    const v1::NodeInput* const inputs[] = {&input};
    return Attach(std::move(writer), edge.source_node_id() + " (edge)", inputs);
  }

  Status AddGate() {
    std::vector<InputGate::Channel> channels;
    for (int i = 0; i < spec_.plan->edges_size(); ++i) {
      const v1::Edge& edge = spec_.plan->edges(i);
      if (edge.target_vertex_id() != vertex_->id()) continue;
      WS_ASSIGN_OR_RETURN(const SchemaPtr schema, SchemaFromProto(edge.schema()));
      for (int32_t upstream = 0; upstream < ParallelismOf(edge.source_vertex_id()); ++upstream) {
        WS_ASSIGN_OR_RETURN(auto receiver, environment_.channels->OpenReceiver(
                                               Channel(i, upstream, spec_.subtask.value), schema));
        channels.push_back({std::move(receiver), edge.target_input()});
      }
    }
    if (channels.empty()) {
      return InternalError("vertex '{}' has neither a source nor an input", vertex_->name());
    }
    parts_.input =
        std::make_unique<InputGate>(std::move(channels), mailbox_, RestoredWatermarkMs());
    return Ok();
  }

  TimestampMs RestoredWatermarkMs() const {
    const bool restored = spec_.restore != nullptr && spec_.restore->has_watermark_ms();
    return restored ? spec_.restore->watermark_ms() : kMinWatermarkMs;
  }

  Status AddSource() {
    const v1::TableSourceScan& scan = scan_->table_source_scan();
    MetricGroup* metrics = AddMetrics(*scan_);
    WS_ASSIGN_OR_RETURN(SchemaPtr schema, SchemaFromProto(scan_->output_schema()));
    SourceDriver::Parameters parameters;
    parameters.suspended = spec_.suspended;
    WS_RETURN_IF_ERROR(SetWatermarks(*schema, parameters));
    std::unique_ptr<Decoder> decoder;
    if (!scan.format().name().empty()) {
      WS_ASSIGN_OR_RETURN(decoder, MakeDecoder(scan.format(), schema));
    }
    RecordDecoder::Options options;
    options.source = scan_->id();
    options.subtask = spec_.subtask;
    options.on_bad = OnBadOf(scan.on_error());
    options.event_time_column = parameters.event_time_column;
    Counter& skipped = metrics->counter(metric_names::kRecordsInErrors);
    Counter& refused = metrics->counter(metric_names::kFutureRecordsRefused);
    Counter& dead_letters = metrics->counter(metric_names::kDeadLetterRecords);
    parts_.metrics->SumSkipped(&skipped);
    parts_.metrics->SumSkipped(&refused);
    parts_.metrics->SumDeadLetters(&dead_letters);
    auto records =
        std::make_unique<RecordDecoder>(std::move(decoder), schema, std::move(options),
                                        environment_.clock, &skipped, &refused, &dead_letters);
    WS_ASSIGN_OR_RETURN(const ConnectorContext context, MakeConnectorContext(*scan_, metrics));
    WS_ASSIGN_OR_RETURN(auto source, connectors_.MakeSource(scan.connector(), schema, context));
    parameters.source = scan_->id();
    parameters.subtask = spec_.subtask;
    parameters.splits = spec_.splits;
    parameters.max_records_per_poll = environment_.options.max_records_per_poll;
    parameters.watermark_interval =
        std::chrono::milliseconds(environment_.options.auto_watermark_interval_ms);
    parameters.watermark_ms = RestoredWatermarkMs();
    if (spec_.restore != nullptr) {
      for (const v1::SplitSnapshot& split : spec_.restore->splits()) {
        if (!split.has_watermark_ms()) continue;
        parameters.split_watermarks_ms[split.split_id()] = split.watermark_ms();
      }
    }
    parameters.mailbox = mailbox_;
    parameters.clock = environment_.clock;
    parameters.metrics = metrics;
    parameters.bytes_in = &parts_.metrics->bytes_in();
    parts_.metrics->set_source_lag(&metrics->gauge(metric_names::kPendingRecords));
    parts_.input = std::make_unique<SourceDriver>(std::move(source), std::move(records),
                                                  std::move(parameters));
    parts_.is_source = true;
    return Ok();
  }

  Status SetWatermarks(const Schema& schema, SourceDriver::Parameters& parameters) const {
    if (assigner_ == nullptr) return Ok();
    const v1::WatermarkSpec& spec = assigner_->watermark();
    parameters.event_time_column = schema.IndexOf(spec.column());
    if (!parameters.event_time_column) {
      return InternalError("source '{}' does not read its event time '{}'", scan_->id(),
                           spec.column());
    }
    SplitWatermarks::Options options;
    options.delay_ms = spec.delay_ms();
    if (spec.has_idle_timeout_ms()) {
      options.idle_timeout = std::chrono::milliseconds(spec.idle_timeout_ms());
    }
    if (spec.has_max_drift_ms()) options.max_drift_ms = spec.max_drift_ms();
    parameters.watermarks = options;
    return Ok();
  }

  const TaskSpec& spec_;
  const TaskEnvironment& environment_;
  std::shared_ptr<Mailbox> mailbox_;
  std::string directory_;
  const ConnectorFactory& connectors_;
  int directories_ = 0;

  const v1::Vertex* vertex_ = nullptr;
  const v1::PlanNode* scan_ = nullptr;
  const v1::WatermarkAssigner* assigner_ = nullptr;
  std::vector<std::string> source_nodes_;
  std::map<std::string, OperatorNode*> operators_;
  TaskParts parts_;
};

}  // namespace

Result<TaskParts> BuildTask(const TaskSpec& spec, const TaskEnvironment& environment,
                            const TaskSurroundings& surroundings) {
  return TaskBuilder(spec, environment, surroundings).Build();
}

}  // namespace watershed
