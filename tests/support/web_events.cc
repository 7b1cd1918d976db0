#include "tests/support/web_events.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <iterator>
#include <string_view>

namespace watershed::test {
namespace {

constexpr std::array<std::string_view, kWebEventHosts> kHosts = {
    "www.dataexpert.io",   "learn.dataexpert.io",     "www.techcreator.io",       "zachwilson.tech",
    "lulu.techcreator.io", "bootcamp.techcreator.io", "zachwilson.techcreator.io"};

// As they stand in the payload: escapes are for the parser to undo.
constexpr std::array<std::string_view, 8> kReferrers = {
    R"("referrer":"https://www.google.com/",)",
    R"("referrer":"https://www.linkedin.com/",)",
    R"("referrer":"https:\/\/t.co\/a\"b",)",
    R"("referrer":"https://duckduckgo.com/?q=\u00fcber",)",
    R"("referrer":"https://www.youtube.com/",)",
    R"("referrer":"https://www.bing.com/",)",
    R"("referrer":null,)",
    ""};

constexpr std::array<std::string_view, 3> kUserAgents = {
    R"({"family":"Chrome","major":"120","minor":"0","patch":"0","device":{"family":"Other"},"os":{"family":"Windows","major":"10"}})",
    R"({"family":"Mobile Safari","major":"17","minor":"2","patch":"1","device":{"family":"iPhone"},"os":{"family":"iOS","major":"17"}})",
    R"({"family":"Firefox","major":"121","minor":"0","patch":null,"device":{"family":"Mac"},"os":{"family":"Mac OS X","major":"14"}})"};

}  // namespace

void AppendEventTime(int64_t epoch_ms, std::string& out) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(epoch_ms)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                 clock.seconds().count(), clock.subseconds().count());
}

WebEvents::WebEvents(const WebEventSettings& settings)
    : settings_(settings), state_(settings.seed) {}

uint64_t WebEvents::Draw() {  // splitmix64 (Steele, Lea, Flood 2014)
  uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void WebEvents::AppendNext(std::string& out) {
  const uint64_t ip = Draw() % settings_.ips;
  const std::string_view host = kHosts[Draw() % settings_.hosts];
  const std::string_view referrer = kReferrers[Draw() % kReferrers.size()];
  const int64_t behind_ms = static_cast<int64_t>(Draw() % (settings_.disorder_ms + 1));
  draw_ = Draw();
  const bool no_host = static_cast<int>(draw_ % 1'000'000) < settings_.null_hosts_per_million;
  const int64_t time_ms =
      settings_.first_time_ms + made_++ * settings_.interval_us / 1000 - behind_ms;
  fmt::format_to(std::back_inserter(out),
                 R"({{"url":"https://{}/lesson/{}?utm_source=feed",{}"user_agent":{},"host":)",
                 host, draw_ % 1000, referrer, kUserAgents[draw_ % kUserAgents.size()]);
  if (no_host) {
    out += "null";
  } else {
    fmt::format_to(std::back_inserter(out), "\"{}\"", host);
  }
  fmt::format_to(std::back_inserter(out), R"(,"ip":"10.{}.{}.{}","headers":{{}},"event_time":")",
                 ip >> 16, (ip >> 8) & 255, ip & 255);
  AppendEventTime(time_ms, out);
  out += "\"}";
}

}  // namespace watershed::test
