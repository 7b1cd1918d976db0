// The stages of one event before the window: decode, encode and hash keys, scatter, frames. Time
// per iteration is per batch; items_per_second is rows.
#include <benchmark/benchmark.h>

#include <random>

#include "runtime/exchange/frame_codec.h"
#include "runtime/exchange/key_partitioner.h"
#include "runtime/formats/registry.h"
#include "tests/bench/web_traffic.h"

namespace watershed {
namespace {

constexpr int kRows = 1000;

// About 350 bytes, shaped like the real feed.
std::vector<std::string> Events() {
  std::mt19937_64 random(1);
  std::vector<std::string> events;
  for (int i = 0; i < kRows; ++i) {
    events.push_back(fmt::format(
        R"({{"url":"/courses/data-engineering-bootcamp/lesson-{}?utm_source=newsletter","referrer":"https://www.google.com/","user_agent":)"
        R"({{"family":"Chrome","major":"120","minor":"0","patch":"0","device":{{"family":"Other"}},)"
        R"("os":{{"family":"Windows","major":"10"}}}},"host":"{}.dataexpert.io","ip":"{}.{}.{}.{}",)"
        R"("headers":{{}},"event_time":"2024-01-{:02}T{:02}:{:02}:{:02}.{:03}Z"}})",
        random() % 1000, random() % 2 == 0 ? "www" : "learn", random() % 256, random() % 256,
        random() % 256, random() % 256, 1 + random() % 28, random() % 24, random() % 60,
        random() % 60, random() % 1000));
  }
  return events;
}

SchemaPtr ProjectionSchema() {
  return std::make_shared<const Schema>(
      std::vector<Field>{{"ip", {TypeKind::kString}},
                         {"host", {TypeKind::kString}},
                         {"url", {TypeKind::kString}},
                         {"referrer", {TypeKind::kString}},
                         {"event_time", {TypeKind::kTimestampMs}}},
      4);
}

RecordBatch Decoded(const SchemaPtr& schema) {
  const auto events = Events();
  const std::vector<std::string_view> payloads(events.begin(), events.end());
  auto decoder = MakeDecoder(WebTrafficFormat(), schema).value();
  BatchBuilder builder(schema);
  std::vector<int32_t> decoded;
  std::vector<DecodeError> errors;
  decoder->Decode(payloads, builder, decoded, errors);
  return builder.Finish();
}

void Decode(benchmark::State& state, const SchemaPtr& schema, bool strict) {
  const auto events = Events();
  // One buffer, payload after payload, as in a Kafka fetch.
  std::string fetch;
  for (const std::string& event : events) fetch += event + "........";
  std::vector<std::string_view> payloads;
  size_t at = 0;
  for (const std::string& event : events) {
    payloads.emplace_back(fetch.data() + at, event.size());
    at += event.size() + 8;
  }
  auto decoder = MakeDecoder(WebTrafficFormat(strict), schema).value();
  BatchBuilder builder(schema);
  std::vector<int32_t> decoded;
  std::vector<DecodeError> errors;
  for (auto _ : state) {
    decoded.clear();
    decoder->Decode(payloads, builder, decoded, errors);
    benchmark::DoNotOptimize(builder.Finish());
  }
  if (!errors.empty()) state.SkipWithError(errors[0].reason.c_str());
  state.SetItemsProcessed(state.iterations() * kRows);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(fetch.size() - 8 * kRows));
}
BENCHMARK_CAPTURE(Decode, three_columns, SessionSchema(), false);
BENCHMARK_CAPTURE(Decode, five_columns, ProjectionSchema(), false);
BENCHMARK_CAPTURE(Decode, three_columns_strict, SessionSchema(), true);

void EncodeAndHashKeys(benchmark::State& state) {
  const RecordBatch batch = Decoded(SessionSchema());
  const std::vector<int> columns = {0, 1};
  KeyBatch keys;
  for (auto _ : state) {
    EncodeKeys(batch, columns, keys);
    benchmark::DoNotOptimize(keys.hashes.data());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(EncodeAndHashKeys);

void Scatter(benchmark::State& state) {
  const RecordBatch batch = Decoded(SessionSchema());
  KeyPartitioner partitioner(batch.schema(), {.key_columns = {0, 1},
                                              .max_parallelism = 128,
                                              .parallelism = static_cast<int>(state.range(0))});
  std::vector<PartitionedBatch> ready;
  for (auto _ : state) {
    partitioner.Add(batch, ready);
    ready.clear();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(Scatter)->Arg(1)->Arg(2)->Arg(4)->Arg(16);

void FramesThereAndBack(benchmark::State& state) {
  const RecordBatch batch = Decoded(SessionSchema());
  FrameDecoder decoder(batch.schema());
  std::vector<std::string> frames;
  for (auto _ : state) {
    frames.clear();
    (void)EncodeFrames(batch, frames);
    for (const std::string& frame : frames) benchmark::DoNotOptimize(decoder.Add(frame));
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(FramesThereAndBack);

void EncodeJson(benchmark::State& state) {
  const RecordBatch batch = Decoded(ProjectionSchema());
  auto encoder = MakeEncoder(WebTrafficFormat(), batch.schema()).value();
  std::string bytes;
  std::vector<size_t> offsets;
  for (auto _ : state) {
    (void)encoder->Encode(batch, bytes, offsets);
    benchmark::DoNotOptimize(bytes.data());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(EncodeJson);

}  // namespace
}  // namespace watershed
