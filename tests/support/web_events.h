// Raw web events as the real feed has them, made from a seed: the same settings give the same
// bytes.
#pragma once

#include <cstdint>
#include <string>

namespace watershed::test {

struct WebEventSettings {
  uint64_t seed = 1;
  int ips = 60000;
  int hosts = 5;                              // at most kWebEventHosts
  int64_t first_time_ms = 1'709'251'200'000;  // 2024-03-01T00:00:00Z
  int64_t interval_us = 1000;                 // event time between one event and the next
  int64_t disorder_ms = 10'000;               // an event is up to this much behind its place
  int null_hosts_per_million = 0;             // host is null in so many
};
inline constexpr int kWebEventHosts = 7;

// Six referrers besides a missing and a null one, so hosts * 7 distinct (host, referrer) pairs.
class WebEvents {
 public:
  explicit WebEvents(const WebEventSettings& settings);
  // Appends the next event, one JSON object of about 350 bytes without a line end.
  void AppendNext(std::string& out);
  // Which partition the event just made goes to.
  int PartitionOf(int partitions) const { return static_cast<int>(draw_ >> 40) % partitions; }

 private:
  uint64_t Draw();

  WebEventSettings settings_;
  uint64_t state_;
  uint64_t draw_ = 0;
  int64_t made_ = 0;
};

// "2024-03-01T00:00:00.000Z"
void AppendEventTime(int64_t epoch_ms, std::string& out);

}  // namespace watershed::test
