#include "runtime/job/resolver.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/job/node_resolver.h"
#include "runtime/job/streams.h"
#include "runtime/types/key_group.h"

namespace watershed {
namespace {

constexpr const char* kLateSideOutput = "late";

v1::OutputRef Ref(const std::string& node, const char* side_output = "") {
  v1::OutputRef ref;
  ref.set_node(node);
  ref.set_side_output(side_output);
  return ref;
}

bool HasDeadLetters(const SourceSpec& source) {
  return source.on_error && source.on_error->action == OnErrorAction::kDeadLetter;
}

void DeclareStreams(const JobSpec& spec, Streams& streams) {
  for (const SourceSpec& source : spec.sources) {
    streams.Declare(source.name, {.what = fmt::format("source '{}'", source.name.value),
                                  .ref = Ref(source.name.value),
                                  .why_no_event_time = "give it a 'watermark'"});
  }
  for (const OperatorSpec& op : spec.operators) {
    const bool project = op.type == OperatorType::kProject;
    streams.Declare(op.name,
                    {.what = fmt::format("operator '{}'", op.name.value),
                     .ref = Ref(op.name.value),
                     .why_no_event_time = project ? "keep its event-time column in 'columns'"
                                                  : "results of windows carry none"});
    if (!op.late_output) continue;
    streams.Declare(*op.late_output, {.what = fmt::format("late rows '{}'", op.late_output->value),
                                      .ref = Ref(op.name.value, kLateSideOutput)});
  }
  for (const SinkSpec& sink : spec.sinks) streams.DeclareSink(sink.name);
  for (const SourceSpec& source : spec.sources) {
    if (HasDeadLetters(source)) streams.DeclareSink(DeadLetterSinkName(source));
  }
}

// Orders operators so that each comes after its input, otherwise as in the file.
class OperatorOrder {
 public:
  explicit OperatorOrder(const JobSpec& spec) : operators_(spec.operators) {
    // A name that is taken twice (which was reported) is the source's.
    std::set<std::string_view> sources;
    for (const SourceSpec& source : spec.sources) sources.insert(source.name.value);
    for (size_t i = 0; i < operators_.size(); ++i) {
      const std::optional<MarkedText>& late = operators_[i].late_output;
      if (!sources.contains(operators_[i].name.value)) {
        producer_.emplace(operators_[i].name.value, i);
      }
      if (late && !sources.contains(late->value)) producer_.emplace(late->value, i);
    }
    state_.resize(operators_.size());
  }

  std::vector<size_t> Sort(DiagnosticList& diagnostics) {
    for (size_t i = 0; i < operators_.size(); ++i) Visit(i, diagnostics);
    return std::move(order_);
  }

 private:
  enum class State : uint8_t { kNew, kOpen, kDone };

  // Every operator has one input, so the way back from it is a path, not a tree.
  void Visit(size_t start, DiagnosticList& diagnostics) {
    std::vector<size_t> path;
    for (size_t at = start; state_[at] == State::kNew;) {
      state_[at] = State::kOpen;
      path.push_back(at);
      const auto producer = producer_.find(operators_[at].input.value);
      if (producer == producer_.end()) break;
      at = producer->second;
      if (state_[at] == State::kOpen) ReportCycle(path, at, diagnostics);
    }
    for (auto at = path.rbegin(); at != path.rend(); ++at) {
      state_[*at] = State::kDone;
      order_.push_back(*at);
    }
  }

  // `path` goes from each operator to its input and has come back to `entry`.
  void ReportCycle(const std::vector<size_t>& path, size_t entry, DiagnosticList& diagnostics) {
    std::string names = operators_[entry].name.value;
    const auto begin = std::find(path.begin(), path.end(), entry);
    size_t first = entry;
    for (auto at = path.rbegin(); at.base() != begin; ++at) {
      names += " → " + operators_[*at].name.value;
      first = std::min(first, *at);
    }
    diagnostics.Error(operators_[first].input.mark,
                      "operator '{}': its input comes from its own output: {}",
                      operators_[first].name.value, names);
  }

  const std::vector<OperatorSpec>& operators_;
  std::map<std::string, size_t> producer_;
  std::vector<State> state_;
  std::vector<size_t> order_;
};

void CheckParallelism(const MarkedText& name, std::optional<int32_t> parallelism,
                      int32_t max_parallelism, DiagnosticList& diagnostics) {
  if (!parallelism || *parallelism <= max_parallelism) return;
  diagnostics.Error(name.mark, "'{}': parallelism {} is above max-parallelism {}", name.value,
                    *parallelism, max_parallelism);
}

void SetJobFields(const JobSpec& spec, v1::JobGraph& graph) {
  graph.set_name(spec.name.value);
  if (spec.parallelism) graph.set_parallelism(*spec.parallelism);
  if (spec.max_parallelism) graph.set_max_parallelism(*spec.max_parallelism);
  if (spec.checkpoint_interval_ms > 0) {
    graph.mutable_checkpointing()->set_interval_ms(spec.checkpoint_interval_ms);
    graph.mutable_checkpointing()->set_mode(spec.checkpoint_mode);
  }
  if (!spec.restart_strategy.empty()) {
    graph.mutable_restart_strategy()->set_type(spec.restart_strategy);
    auto& options = *graph.mutable_restart_strategy()->mutable_options();
    options.insert(spec.restart_options.begin(), spec.restart_options.end());
  }
}

}  // namespace

v1::JobGraph ResolveJob(const JobSpec& spec, std::span<const ConnectorSpec> connectors,
                        DiagnosticList& diagnostics) {
  v1::JobGraph graph;
  SetJobFields(spec, graph);
  Streams streams(diagnostics);
  DeclareStreams(spec, streams);
  ResolveContext context{diagnostics, connectors, streams, spec.checkpoint_interval_ms > 0};
  std::vector<bool> sound_sources;
  const int32_t max_parallelism = spec.max_parallelism.value_or(kDefaultMaxParallelism);
  for (const SourceSpec& source : spec.sources) {
    CheckParallelism(source.name, source.parallelism, max_parallelism, diagnostics);
    const int errors_before = diagnostics.errors();
    ResolveSource(source, context, graph.add_sources());
    sound_sources.push_back(diagnostics.errors() == errors_before);
  }
  const int errors_before_sort = diagnostics.errors();
  const std::vector<size_t> order = OperatorOrder(spec).Sort(diagnostics);
  if (diagnostics.errors() > errors_before_sort) streams.SuppressUnused();
  for (const size_t index : order) {
    const OperatorSpec& op = spec.operators[index];
    CheckParallelism(op.name, op.parallelism, max_parallelism, diagnostics);
    ResolveOperator(op, context, graph.add_operators());
  }
  for (const SinkSpec& sink : spec.sinks) ResolveSink(sink, context, graph.add_sinks());
  for (size_t i = 0; i < spec.sources.size(); ++i) {
    // Half of its options are the source's, whose errors were told.
    if (!sound_sources[i] || !HasDeadLetters(spec.sources[i])) continue;
    ResolveDeadLetters(spec.sources[i], context, graph.add_sinks());
  }
  if (spec.sinks.empty()) streams.SuppressUnused();
  streams.ReportUnused();
  return graph;
}

}  // namespace watershed
