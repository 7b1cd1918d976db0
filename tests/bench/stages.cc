// The first stages of a job alone, on one thread and with the engine's own parts but without the
// engine: stages --brokers B --topic T --upto consume|parse|hash reads the topic once and prints
// the CPU time of this process per event, in ns. ./dev bench puts them below the ladder's whole
// jobs.
#include <ctime>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "runtime/connectors/registry.h"
#include "runtime/exchange/key_partitioner.h"
#include "runtime/formats/registry.h"
#include "runtime/metrics/metrics.h"
#include "runtime/types/clock.h"
#include "tests/bench/web_traffic.h"

namespace watershed {
namespace {

constexpr int kRecordsPerPoll = 4096;
constexpr std::chrono::milliseconds kPollDeadline{100};

enum class Stage { kConsume, kParse, kHash };

double ProcessCpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// What follows a poll, up to a stage.
class Stages {
 public:
  static Result<Stages> Make(Stage upto) {
    Stages stages(upto);
    WS_ASSIGN_OR_RETURN(stages.decoder_, MakeDecoder(WebTrafficFormat(), SessionSchema()));
    return stages;
  }

  void Run(const PolledRecords& records) {
    if (upto_ == Stage::kConsume || records.raw.empty()) return;
    payloads_.clear();
    for (const RawRecord& record : records.raw) payloads_.push_back(record.value);
    decoded_.clear();
    decoder_->Decode(payloads_, builder_, decoded_, errors_);
    const RecordBatch batch = builder_.Finish();
    if (upto_ == Stage::kParse) return;
    ready_.clear();
    partitioner_.Add(batch, ready_);
  }

  size_t undecodable() const { return errors_.size(); }

 private:
  explicit Stages(Stage upto)
      : upto_(upto),
        builder_(SessionSchema()),
        partitioner_(SessionSchema(), {.key_columns = {0, 1}, .parallelism = 2}) {}

  Stage upto_;
  std::unique_ptr<Decoder> decoder_;
  BatchBuilder builder_;
  KeyPartitioner partitioner_;
  std::vector<std::string_view> payloads_;
  std::vector<int32_t> decoded_;
  std::vector<DecodeError> errors_;
  std::vector<PartitionedBatch> ready_;
};

Result<double> NanosecondsPerEvent(const std::string& brokers, const std::string& topic,
                                   Stage upto) {
  v1::Connector kafka;
  kafka.set_name("kafka");
  auto& options = *kafka.mutable_options();
  options["topic"] = topic;
  options["properties.bootstrap.servers"] = brokers;
  options["scan.startup.mode"] = "earliest-offset";
  options["scan.bounded.mode"] = "latest-offset";
  MetricRegistry registry;
  MetricGroup metrics(&registry, {});
  const ConnectorContext context{.job_name = "stages",
                                 .operator_id = "events",
                                 .clock = &SystemClock(),
                                 .metrics = &metrics,
                                 .temporary_directory = "/tmp"};
  WS_ASSIGN_OR_RETURN(auto enumerator, MakeSplitEnumerator(kafka, context));
  WS_ASSIGN_OR_RETURN(const std::vector<SourceSplit> splits, enumerator->Discover());
  WS_ASSIGN_OR_RETURN(auto source, MakeSource(kafka, SessionSchema(), context));
  WS_ASSIGN_OR_RETURN(Stages stages, Stages::Make(upto));
  const double begin = ProcessCpuSeconds();
  WS_RETURN_IF_ERROR(source->Open(splits));
  PolledRecords records;
  int64_t events = 0;
  do {
    records.Clear();
    WS_RETURN_IF_ERROR(source->Poll(records, kRecordsPerPoll, kPollDeadline));
    events += static_cast<int64_t>(records.raw.size());
    stages.Run(records);
  } while (!records.finished);
  const double seconds = ProcessCpuSeconds() - begin;
  source->Close();
  if (events == 0 || stages.undecodable() > 0) {
    return UserError("{} events, {} of them undecodable", events, stages.undecodable());
  }
  return seconds * 1e9 / static_cast<double>(events);
}

int Main(int argc, char** argv) {
  std::string brokers;
  std::string topic;
  Stage upto = Stage::kHash;
  CLI::App app("CPU time per event of a job's first stages.");
  app.add_option("--brokers", brokers)->required();
  app.add_option("--topic", topic)->required();
  app.add_option("--upto", upto)
      ->transform(CLI::CheckedTransformer(std::map<std::string, Stage>{
          {"consume", Stage::kConsume}, {"parse", Stage::kParse}, {"hash", Stage::kHash}}));
  CLI11_PARSE(app, argc, argv);
  const Result<double> ns = NanosecondsPerEvent(brokers, topic, upto);
  if (!ns) {
    std::fprintf(stderr, "stages: %s\n", ns.error().message.c_str());
    return 1;
  }
  std::printf("%.1f\n", *ns);
  return 0;
}

}  // namespace
}  // namespace watershed

int main(int argc, char** argv) { return watershed::Main(argc, argv); }
