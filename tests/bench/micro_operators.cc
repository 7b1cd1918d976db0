// What window operators cost, without source, exchange and sink: streams of web events made
// beforehand, one event a millisecond with 10 s of disorder, a watermark behind every batch.
// Counters: ns_per_event, and for sessions rows out, evictions and the cache's bytes. Run one with
//   taskset -c 1 micro_operators --benchmark_filter=Session --benchmark_repetitions=5
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <random>

#include "runtime/metrics/names.h"
#include "runtime/operators/aggregate_schema.h"
#include "runtime/operators/registry.h"
#include "runtime/state/keyed_state.h"
#include "runtime/types/schema_proto.h"
#include "tests/support/test_directory.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed {
namespace {

constexpr int64_t kEvents = 3'000'000;
constexpr int64_t kBatchRows = 2048;
constexpr int64_t kMinuteMs = 60'000;
constexpr std::array<std::string_view, 7> kHosts = {
    "www.dataexpert.io",   "learn.dataexpert.io",     "www.techcreator.io",       "zachwilson.tech",
    "lulu.techcreator.io", "bootcamp.techcreator.io", "zachwilson.techcreator.io"};
constexpr std::array<std::string_view, 5> kReferrers = {
    "https://www.google.com/", "https://www.linkedin.com/", "https://t.co/",
    "https://duckduckgo.com/", "https://www.youtube.com/"};

SchemaPtr Events() {
  return std::make_shared<const Schema>(
      std::vector<Field>{{"ip", {TypeKind::kString}},
                         {"host", {TypeKind::kString}},
                         {"referrer", {TypeKind::kString}},
                         {"event_time", {TypeKind::kTimestampMs}, true}},
      3);
}

// ips * 7 keys of (ip, host).
std::vector<RecordBatch> MakeStream(int64_t ips) {
  std::vector<RecordBatch> batches;
  std::mt19937_64 random(7);
  BatchBuilder builder(Events());
  for (int64_t i = 0; i < kEvents; ++i) {
    const uint64_t ip = random() % static_cast<uint64_t>(ips);
    builder.column(0).AppendString(fmt::format("10.{}.{}.{}", ip >> 16, (ip >> 8) & 255, ip & 255));
    builder.column(1).AppendString(kHosts[random() % kHosts.size()]);
    builder.column(2).AppendString(kReferrers[random() % kReferrers.size()]);
    builder.column(3).AppendInt64(1'700'000'000'000 + i - static_cast<int64_t>(random() % 10'001));
    builder.FinishRow();
    if (builder.num_rows() == kBatchRows) batches.push_back(builder.Finish());
  }
  return batches;
}

const std::vector<RecordBatch>& StreamOf(int64_t ips) {
  static int64_t made_for = 0;
  static std::vector<RecordBatch> batches;
  if (made_for != ips) {
    batches.clear();
    batches = MakeStream(ips);
    made_for = ips;
  }
  return batches;
}

class CountingOutput final : public Output {
 public:
  explicit CountingOutput(Operator* next = nullptr, Output* after = nullptr)
      : next_(next), after_(after) {}
  Status Emit(RecordBatch batch) override {
    rows += batch.num_rows();
    return next_ == nullptr ? Ok() : next_->Process(0, batch, *after_);
  }
  Status EmitSide(std::string_view, RecordBatch) override { return Ok(); }
  bool has_side(std::string_view) const override { return false; }
  bool full() const override { return false; }
  int64_t rows = 0;

 private:
  Operator* next_;
  Output* after_;
};

v1::WindowAggregate Counting(std::vector<std::string> keys) {
  v1::WindowAggregate aggregate;
  for (std::string& key : keys) aggregate.add_keys(std::move(key));
  v1::AggregateCall& call = *aggregate.add_aggregates();
  call.set_function(v1::AggregateCall::COUNT_STAR);
  call.set_output_column("n");
  aggregate.set_window_start_column("window_start");
  aggregate.set_window_end_column("window_end");
  return aggregate;
}

Schema OutputOf(const v1::WindowAggregate& aggregate) {
  std::vector<Field> fields;
  for (const std::string& key : aggregate.keys()) {
    fields.push_back(Events()->field(*Events()->IndexOf(key)));
  }
  fields.push_back({"window_start", {TypeKind::kTimestampMs}});
  fields.push_back({"window_end", {TypeKind::kTimestampMs}});
  fields.push_back({"n", {TypeKind::kInt64}});
  return Schema(std::move(fields));
}

v1::PlanNode NodeOf(const Schema& input, const Schema& output) {
  v1::PlanNode node;
  SchemaToProto(input, node.mutable_input_schema());
  SchemaToProto(output, node.mutable_output_schema());
  return node;
}

// A process: a registry of metrics, the state's factory and a directory.
struct Host {
  Host(StateBackendKind backend, int64_t cache_bytes)
      : factory({.backend = backend, .cache_bytes = cache_bytes}), metrics(&registry, {}) {}
  std::unique_ptr<Operator> Open(const v1::PlanNode& node) {
    auto op = MakeOperator(node);
    if (!op) throw std::runtime_error(op.error().message);
    OperatorContext context;
    context.operator_id = "bench";
    context.key_groups = {0, kDefaultMaxParallelism - 1};
    context.clock = &SystemClock();
    context.metrics = &metrics;
    context.keyed_state = &factory;
    context.state_directory = directory.path() + "/state";
    if (Status opened = (*op)->Open(context); !opened) {
      throw std::runtime_error(opened.error().message);
    }
    return std::move(*op);
  }
  double Metric(std::string_view name) {
    for (const MetricSample& sample : registry.Collect()) {
      if (sample.name == name) return sample.value;
    }
    return 0;
  }
  KeyedStateFactory factory;
  MetricRegistry registry;
  MetricGroup metrics;
  TestDirectory directory;
};

void Check(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}

int64_t HighestTime(const RecordBatch& batch, int64_t so_far) {
  for (const int64_t time : batch.EventTimes()) so_far = std::max(so_far, time);
  return so_far;
}

// CPU time of the whole process, RocksDB's threads included.
int64_t CpuNs() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void Report(benchmark::State& state, Host& host, int64_t cpu_ns, int64_t rows) {
  state.counters["ns_per_event"] = static_cast<double>(cpu_ns) / kEvents;
  state.counters["rows"] = static_cast<double>(rows);
  state.counters["evictions"] = host.Metric("watershed_state_cache_evictions");
}

// Arguments: IPs (times 7 hosts), cache in MB.
void Session(benchmark::State& state) {
  const auto& stream = StreamOf(state.range(0));
  v1::WindowAggregate aggregate = Counting({"ip", "host"});
  aggregate.mutable_window()->mutable_session()->set_gap_ms(5 * kMinuteMs);
  v1::PlanNode node = NodeOf(*Events(), OutputOf(aggregate));
  *node.mutable_window_aggregate()->mutable_aggregate() = aggregate;
  for (auto _ : state) {
    state.PauseTiming();
    auto host = std::make_unique<Host>(StateBackendKind::kRocksDb, state.range(1) << 20);
    auto op = host->Open(node);
    CountingOutput output;
    int64_t highest = 0;
    state.ResumeTiming();
    int64_t cpu_ns = -CpuNs();
    for (const RecordBatch& batch : stream) {
      Check(op->Process(0, batch, output));
      highest = HighestTime(batch, highest);
      Check(op->OnWatermark(highest - 15'000, output).map([](Progress) {}));
    }
    state.PauseTiming();
    cpu_ns += CpuNs();
    const double bytes = host->Metric(metric_names::kStateCacheBytes);
    state.ResumeTiming();
    cpu_ns -= CpuNs();
    Check(op->OnWatermark(kMaxWatermarkMs, output).map([](Progress) {}));
    state.PauseTiming();
    Report(state, *host, cpu_ns + CpuNs(), output.rows);
    state.counters["cache_mb"] = bytes / (1 << 20);
    op->Close();
    op.reset();
    host.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(Session)
    ->Args({42'857, 128})
    ->Args({42'857, 16})
    ->Args({1'428'571, 128})
    ->Args({1'000, 128})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

// Local and global part over (host, referrer): 35 keys.
void TumblingLocalGlobal(benchmark::State& state) {
  const auto& stream = StreamOf(42'857);
  v1::WindowAggregate aggregate = Counting({"host", "referrer"});
  aggregate.mutable_window()->mutable_tumbling()->set_size_ms(5 * kMinuteMs);
  const Schema partials = PartialAggregateSchema(aggregate, *Events()).value();
  v1::PlanNode local_node = NodeOf(*Events(), partials);
  *local_node.mutable_local_window_aggregate()->mutable_aggregate() = aggregate;
  v1::PlanNode global_node = NodeOf(partials, OutputOf(aggregate));
  *global_node.mutable_global_window_aggregate()->mutable_aggregate() = aggregate;
  for (auto _ : state) {
    state.PauseTiming();
    auto host = std::make_unique<Host>(StateBackendKind::kRocksDb, 128 << 20);
    auto local = host->Open(local_node);
    auto global = host->Open(global_node);
    CountingOutput output;
    CountingOutput between(global.get(), &output);
    int64_t highest = 0;
    state.ResumeTiming();
    const int64_t begin_ns = CpuNs();
    for (const RecordBatch& batch : stream) {
      Check(local->Process(0, batch, between));
      highest = HighestTime(batch, highest);
      Check(local->Flush(between));
      Check(global->OnWatermark(highest - 15'000, output).map([](Progress) {}));
    }
    Check(global->OnWatermark(kMaxWatermarkMs, output).map([](Progress) {}));
    state.PauseTiming();
    Report(state, *host, CpuNs() - begin_ns, output.rows);
    local.reset();
    global.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(TumblingLocalGlobal)->Unit(benchmark::kMillisecond)->Iterations(1);

// Tumbling without a local part, by many keys.
void TumblingSingle(benchmark::State& state) {
  const auto& stream = StreamOf(state.range(0));
  v1::WindowAggregate aggregate = Counting({"ip", "host"});
  aggregate.mutable_window()->mutable_tumbling()->set_size_ms(5 * kMinuteMs);
  v1::PlanNode node = NodeOf(*Events(), OutputOf(aggregate));
  *node.mutable_window_aggregate()->mutable_aggregate() = aggregate;
  for (auto _ : state) {
    state.PauseTiming();
    auto host = std::make_unique<Host>(StateBackendKind::kRocksDb, state.range(1) << 20);
    auto op = host->Open(node);
    CountingOutput output;
    int64_t highest = 0;
    state.ResumeTiming();
    const int64_t begin_ns = CpuNs();
    for (const RecordBatch& batch : stream) {
      Check(op->Process(0, batch, output));
      highest = HighestTime(batch, highest);
      Check(op->OnWatermark(highest - 15'000, output).map([](Progress) {}));
    }
    Check(op->OnWatermark(kMaxWatermarkMs, output).map([](Progress) {}));
    state.PauseTiming();
    Report(state, *host, CpuNs() - begin_ns, output.rows);
    op.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(TumblingSingle)->Args({42'857, 128})->Unit(benchmark::kMillisecond)->Iterations(1);

// The floor under every keyed operator: encoding and hashing the keys.
void EncodeKeysOnly(benchmark::State& state) {
  const auto& stream = StreamOf(42'857);
  const std::array<int, 2> columns = {0, 1};
  KeyBatch keys;
  for (auto _ : state) {
    const int64_t begin_ns = CpuNs();
    for (const RecordBatch& batch : stream) {
      EncodeKeys(batch, columns, keys);
      benchmark::DoNotOptimize(keys.hashes.data());
    }
    state.counters["ns_per_event"] = static_cast<double>(CpuNs() - begin_ns) / kEvents;
  }
}
BENCHMARK(EncodeKeysOnly)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace watershed

BENCHMARK_MAIN();
