// Prints the values of all committed records of a topic, one a line, from the beginning to the end
// that it finds; or the records, as a line of JSON each, with all bytes in hexadecimal. Waits until
// no transaction is open there, so that nothing is overlooked that was committed before.
#include <librdkafka/rdkafka.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace watershed::test {
namespace {

constexpr int kTimeoutMs = 10'000;
// Somebody has left a transaction open, which is a finding.
constexpr std::chrono::seconds kPatience(30);
constexpr std::chrono::milliseconds kPause(20);

void Check(rd_kafka_resp_err_t error, const char* doing) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  throw std::runtime_error(std::string(doing) + ": " + rd_kafka_err2str(error));
}

class Client {
 public:
  Client(const std::string& brokers, const char* isolation) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    for (const auto& [name, value] :
         std::map<std::string, std::string>{{"bootstrap.servers", brokers},
                                            {"group.id", "kafka_dump"},  // is never joined
                                            {"isolation.level", isolation},
                                            {"enable.auto.commit", "false"},
                                            {"enable.partition.eof", "true"}}) {
      char error[512];
      if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof error) !=
          RD_KAFKA_CONF_OK) {
        throw std::runtime_error(error);
      }
    }
    char error[512];
    handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    if (handle_ == nullptr) throw std::runtime_error(error);
  }
  ~Client() { rd_kafka_destroy(handle_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* handle() const { return handle_; }
  int Partitions(const std::string& topic) const {
    rd_kafka_topic_t* asked = rd_kafka_topic_new(handle_, topic.c_str(), nullptr);
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t error = rd_kafka_metadata(handle_, 0, asked, &metadata, kTimeoutMs);
    rd_kafka_topic_destroy(asked);
    Check(error, "metadata");
    const int count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    if (count == 0) throw std::runtime_error("there is no topic " + topic);
    return count;
  }
  int64_t End(const std::string& topic, int partition) const {
    int64_t low = 0, high = 0;
    Check(rd_kafka_query_watermark_offsets(handle_, topic.c_str(), partition, &low, &high,
                                           kTimeoutMs),
          "end of the topic");
    return high;
  }

 private:
  rd_kafka_t* handle_ = nullptr;
};

// The end of a partition, once a reader of committed records sees all of it.
int64_t SettledEnd(const Client& reader, const Client& everything, const std::string& topic,
                   int partition) {
  const int64_t end = everything.End(topic, partition);
  const auto give_up_at = std::chrono::steady_clock::now() + kPatience;
  while (reader.End(topic, partition) < end) {
    if (std::chrono::steady_clock::now() > give_up_at) {
      throw std::runtime_error("a transaction is open in partition " + std::to_string(partition));
    }
    std::this_thread::sleep_for(kPause);
  }
  return end;
}

// A JSON string of hexadecimal digits, or null.
std::string Hex(const void* bytes, size_t size) {
  if (bytes == nullptr) return "null";
  std::string text = "\"";
  for (const unsigned char byte : std::string_view(static_cast<const char*>(bytes), size)) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text + "\"";
}

void PrintRecord(const rd_kafka_message_t& message) {
  std::cout << "{\"value\": " << Hex(message.payload, message.len)
            << ", \"key\": " << Hex(message.key, message.key_len) << ", \"headers\": {";
  rd_kafka_headers_t* headers = nullptr;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      std::cout << (i == 0 ? "" : ", ") << '"' << name << "\": " << Hex(value, size);
    }
  }
  std::cout << "}}\n";
}

void PrintValue(const rd_kafka_message_t& message) {
  std::cout.write(static_cast<const char*>(message.payload),
                  static_cast<std::streamsize>(message.len));
  std::cout << '\n';
}

void Dump(const std::string& brokers, const std::string& topic, bool records) {
  const Client everything(brokers, "read_uncommitted"), reader(brokers, "read_committed");
  std::map<int, int64_t> ends;  // of partitions that are not read to their end
  rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(1);
  for (int partition = 0; partition < reader.Partitions(topic); ++partition) {
    ends[partition] = SettledEnd(reader, everything, topic, partition);
    rd_kafka_topic_partition_list_add(all, topic.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  Check(rd_kafka_assign(reader.handle(), all), "assign");
  rd_kafka_topic_partition_list_destroy(all);
  while (!ends.empty()) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(reader.handle(), kTimeoutMs);
    if (message == nullptr) throw std::runtime_error("the topic does not come to its end");
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      records ? PrintRecord(*message) : PrintValue(*message);
    } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      // Behind control records, which are never handed out.
      if (message->offset >= ends[message->partition]) ends.erase(message->partition);
    } else {
      Check(message->err, rd_kafka_message_errstr(message));
    }
    rd_kafka_message_destroy(message);
  }
}

}  // namespace
}  // namespace watershed::test

int main(int argc, char** argv) {
  std::string brokers, topic;
  bool records = false;
  CLI::App app("Prints the committed records of a Kafka topic.");
  app.add_option("--brokers", brokers)->required();
  app.add_option("--topic", topic)->required();
  app.add_flag("--records", records, "with keys and headers, as JSON");
  CLI11_PARSE(app, argc, argv);
  try {
    watershed::test::Dump(brokers, topic, records);
  } catch (const std::exception& error) {
    std::cerr << "kafka_dump: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
