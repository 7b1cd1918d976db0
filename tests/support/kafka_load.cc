// Fills a topic: with web events from a seed, or with the lines of standard input (one record
// each).
#include <librdkafka/rdkafka.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/web_events.h"

namespace watershed::test {
namespace {

struct Settings {
  std::string brokers;
  std::string topic;
  int partitions = 4;
  int64_t count = 1'000'000;
  int64_t skip = 0;
  bool lines = false;
  bool addressed = false;
  bool records = false;
  int64_t keys_in_turn = 0;
  bool dry_run = false;
  int64_t per_second = 0;
  std::string also_write;
  WebEventSettings events;
};

// Produces to explicit partitions; an undelivered record makes Finish() fail.
class Loader {
 public:
  explicit Loader(const Settings& settings) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    Set(conf, "bootstrap.servers", settings.brokers);
    Set(conf, "linger.ms", "20");
    Set(conf, "batch.size", "1000000");
    Set(conf, "message.max.bytes", "20000000");
    Set(conf, "queue.buffering.max.messages", "200000");
    Set(conf, "enable.idempotence", "true");  // keeps the order within a partition
    rd_kafka_conf_set_opaque(conf, this);
    rd_kafka_conf_set_dr_msg_cb(conf,
                                [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
                                  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
                                  auto* loader = static_cast<Loader*>(self);
                                  if (loader->failed_++ == 0)
                                    std::cerr << rd_kafka_message_errstr(message) << "\n";
                                });
    char error[512];
    producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    if (producer_ == nullptr) throw std::runtime_error(error);
  }
  ~Loader() { rd_kafka_destroy(producer_); }

  using Bytes = std::optional<std::string_view>;  // nothing: null

  void Produce(const std::string& topic, int partition, Bytes payload, Bytes key = std::nullopt) {
    const std::string_view value_bytes = payload.value_or(std::string_view());
    const std::string_view key_bytes = key.value_or(std::string_view());
    for (;;) {
      const rd_kafka_resp_err_t error = rd_kafka_producev(
          producer_, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
          RD_KAFKA_V_VALUE(const_cast<char*>(value_bytes.data()), value_bytes.size()),
          RD_KAFKA_V_KEY(key_bytes.data(), key_bytes.size()),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        throw std::runtime_error(rd_kafka_err2str(error));
      }
      rd_kafka_poll(producer_, 100);
    }
    if (++produced_ % 1024 == 0) rd_kafka_poll(producer_, 0);
  }

  bool Finish() {
    rd_kafka_flush(producer_, 60'000);
    const int left = rd_kafka_outq_len(producer_);
    if (left > 0) std::cerr << left << " records were not delivered within 60 s\n";
    return left == 0 && failed_ == 0;
  }

 private:
  static void Set(rd_kafka_conf_t* conf, const char* name, const std::string& value) {
    char error[512];
    if (rd_kafka_conf_set(conf, name, value.c_str(), error, sizeof error) != RD_KAFKA_CONF_OK) {
      throw std::runtime_error(error);
    }
  }

  rd_kafka_t* producer_ = nullptr;
  int64_t produced_ = 0;
  int64_t failed_ = 0;
};

void LoadLines(Loader& loader, const Settings& settings) {
  int64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    loader.Produce(settings.topic, static_cast<int>(number++ % settings.partitions), line);
  }
}

void LoadAddressedLines(Loader& loader) {
  std::string topic;
  int partition = 0;
  for (std::string payload; std::cin >> topic >> partition;) {
    std::cin.get();  // the blank
    std::getline(std::cin, payload);
    loader.Produce(topic, partition, payload);
  }
}

// Of a field of a line: nothing for "-", else the bytes behind the "x" in hexadecimal.
std::optional<std::string> FromHex(const std::string& field) {
  if (field == "-") return std::nullopt;
  std::string bytes;
  for (size_t i = 1; i + 1 < field.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(field.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

void LoadRecords(Loader& loader, const Settings& settings) {
  int partition = 0;
  for (std::string key, value; std::cin >> partition >> key >> value;) {
    loader.Produce(settings.topic, partition, FromHex(value), FromHex(key));
  }
}

// Holds the caller back so that it does something at most `per_second` times a second; 0: never.
class Pace {
 public:
  explicit Pace(int64_t per_second) : per_second_(per_second) {}
  void Next() {
    if (per_second_ == 0 || ++done_ % 100 != 0) return;
    std::this_thread::sleep_until(begin_ +
                                  std::chrono::microseconds(done_ * 1'000'000 / per_second_));
  }

 private:
  const int64_t per_second_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  int64_t done_ = 0;
};

// Prints how many events go to each partition, as one JSON line.
void LoadEvents(Loader& loader, const Settings& settings) {
  std::ofstream copy;
  if (!settings.also_write.empty()) copy.open(settings.also_write, std::ios::binary);
  WebEvents events(settings.events);
  Pace pace(settings.per_second);
  std::vector<int64_t> counts(static_cast<size_t>(settings.partitions));
  std::string payload;
  for (int64_t i = 0; i < settings.count; ++i) {
    payload.clear();
    events.AppendNext(payload);
    if (i < settings.skip) continue;
    const int partition = events.PartitionOf(settings.partitions);
    ++counts[static_cast<size_t>(partition)];
    if (!settings.dry_run) loader.Produce(settings.topic, partition, payload);
    if (copy.is_open()) copy << payload << '\n';
    pace.Next();
  }
  fmt::print("{{\"partitions\": [{}]}}\n", fmt::join(counts, ", "));
  if (copy.is_open() && !copy.flush()) throw std::runtime_error("cannot write the copy");
}

// Of the fields only those that sessions use; every key once before one comes again.
void LoadKeysInTurn(Loader& loader, const Settings& settings) {
  Pace pace(settings.per_second);
  std::string payload;
  for (int64_t i = settings.skip; i < settings.count; ++i) {
    const int64_t key = i % settings.keys_in_turn;
    payload = fmt::format(R"({{"ip":"10.{}.{}.{}","host":"www.dataexpert.io","event_time":")",
                          key >> 16, key >> 8 & 255, key & 255);
    AppendEventTime(settings.events.first_time_ms + i * settings.events.interval_us / 1000,
                    payload);
    payload += "\"}";
    loader.Produce(settings.topic, static_cast<int>(key % settings.partitions), payload);
    pace.Next();
  }
}

int Main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Fills a Kafka topic with web events from a seed, or with lines of standard input.");
  app.add_option("--brokers", settings.brokers)->required();
  const auto* topic = app.add_option("--topic", settings.topic, "must exist");
  app.add_option("--partitions", settings.partitions, "of the topic");
  app.add_flag("--lines", settings.lines, "records are the lines of standard input, in turn");
  const auto* addressed = app.add_flag("--addressed", settings.addressed,
                                       "the same, each after its topic, partition and a blank");
  app.add_flag(
      "--records", settings.records,
      "a line a record: partition, key and value, these as x and hexadecimal, or - for null");
  app.add_option("--keys-in-turn", settings.keys_in_turn,
                 "short events of so many (ip, host), one after the other, without disorder");
  app.add_option("--first-time-ms", settings.events.first_time_ms, "event time of the first");
  app.add_option("--count", settings.count, "events to make");
  app.add_option("--skip", settings.skip, "of these events, those that an earlier run has put");
  app.add_option("--also-write", settings.also_write, "a file for the same events, one a line");
  app.add_option("--seed", settings.events.seed);
  app.add_option("--ips", settings.events.ips);
  app.add_option("--hosts", settings.events.hosts)->check(CLI::Range(1, kWebEventHosts));
  app.add_option("--interval-us", settings.events.interval_us, "event time between events");
  app.add_option("--disorder-ms", settings.events.disorder_ms);
  app.add_option("--null-hosts-per-million", settings.events.null_hosts_per_million);
  app.add_option("--per-second", settings.per_second, "events at most; 0: as fast as it goes");
  app.add_flag("--dry-run", settings.dry_run, "make the events, write the file, produce nothing");
  CLI11_PARSE(app, argc, argv);
  if (topic->empty() == addressed->empty()) {
    std::cerr << "either --topic or --addressed\n";
    return 2;
  }
  Loader loader(settings);
  if (settings.addressed) {
    LoadAddressedLines(loader);
  } else if (settings.records) {
    LoadRecords(loader, settings);
  } else if (settings.lines) {
    LoadLines(loader, settings);
  } else if (settings.keys_in_turn > 0) {
    LoadKeysInTurn(loader, settings);
  } else {
    LoadEvents(loader, settings);
  }
  return loader.Finish() ? 0 : 1;
}

}  // namespace
}  // namespace watershed::test

int main(int argc, char** argv) {
  try {
    return watershed::test::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "kafka_load: " << error.what() << "\n";
    return 1;
  }
}
