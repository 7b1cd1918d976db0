#include "runtime/connectors/datagen/web_traffic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <string_view>
#include <utility>

namespace watershed {
namespace {

constexpr std::array<std::string_view, 7> kHosts = {
    "www.dataexpert.io",         "learn.dataexpert.io",     "www.techcreator.io",
    "zachwilson.techcreator.io", "bootcamp.techcreator.io", "lulu.techcreator.io",
    "zachwilson.tech",
};

constexpr std::array<std::string_view, 10> kReferrers = {
    "https://www.google.com/",
    "https://www.linkedin.com/",
    "https://www.dataexpert.io/",
    "https://blog.dataengineer.io/p/how-to-pass-the-data-modeling-round",
    "https://www.youtube.com/",
    "https://t.co/8dK2mXq1Zp",
    "https://www.instagram.com/",
    "https://duckduckgo.com/",
    "https://github.com/",
    "https://www.techcreator.io/blog",
};

constexpr std::array<std::string_view, 9> kSections = {
    "/",       "/login",  "/api/v1/login?next=/dashboard", "/lessons/", "/questions/",
    "/posts/", "/users/", "/static/js/main.4f1a2c.js",     "/pricing",
};
constexpr std::array<bool, 9> kSectionHasNumber = {false, false, false, true, true,
                                                   true,  true,  false, false};

constexpr std::array<std::string_view, 8> kUserAgents = {
    R"({"family":"Chrome","major":"119","minor":"0","patch":"0","device":{"family":"Other","major":"0","minor":"0","patch":"0"},"os":{"family":"Windows","major":"10","minor":"0","patch":"0"}})",
    R"({"family":"Chrome","major":"119","minor":"0","patch":"0","device":{"family":"Mac","major":"0","minor":"0","patch":"0"},"os":{"family":"Mac OS X","major":"10","minor":"15","patch":"7"}})",
    R"({"family":"Mobile Safari","major":"17","minor":"1","patch":"0","device":{"family":"iPhone","major":"0","minor":"0","patch":"0"},"os":{"family":"iOS","major":"17","minor":"1","patch":"1"}})",
    R"({"family":"Firefox","major":"120","minor":"0","patch":"0","device":{"family":"Other","major":"0","minor":"0","patch":"0"},"os":{"family":"Ubuntu","major":"0","minor":"0","patch":"0"}})",
    R"({"family":"Chrome Mobile","major":"119","minor":"0","patch":"6045","device":{"family":"SM-G991B","major":"0","minor":"0","patch":"0"},"os":{"family":"Android","major":"13","minor":"0","patch":"0"}})",
    R"({"family":"Safari","major":"17","minor":"1","patch":"0","device":{"family":"Mac","major":"0","minor":"0","patch":"0"},"os":{"family":"Mac OS X","major":"14","minor":"1","patch":"0"}})",
    R"({"family":"Edge","major":"118","minor":"0","patch":"2088","device":{"family":"Other","major":"0","minor":"0","patch":"0"},"os":{"family":"Windows","major":"10","minor":"0","patch":"0"}})",
    R"({"family":"Googlebot","major":"2","minor":"1","patch":"0","device":{"family":"Spider","major":"0","minor":"0","patch":"0"},"os":{"family":"Other","major":"0","minor":"0","patch":"0"}})",
};

}  // namespace

WebTraffic::WebTraffic(const DatagenOptions& options, std::vector<Kind> columns)
    : options_(options), columns_(std::move(columns)), keys_(options.keys, options.skew) {
  for (int64_t i = 0; i < options.hosts; ++i) {
    const auto known = static_cast<size_t>(i);
    hosts_.push_back(known < kHosts.size() ? std::string(kHosts[known])
                                           : fmt::format("site{}.techcreator.io", i + 1));
  }
}

Result<WebTraffic> WebTraffic::Create(const DatagenOptions& options, SchemaPtr schema) {
  const std::span<const TypedColumn> all = WebTrafficColumns();
  std::vector<Kind> columns;
  for (const Field& field : schema->fields()) {
    const auto known = std::find_if(all.begin(), all.end(),
                                    [&](const TypedColumn& c) { return c.name == field.name; });
    if (known == all.end()) {
      return UserError(
          "datagen has no column '{}': web-traffic makes url, referrer, user_agent, host, ip, "
          "headers "
          "and event_time",
          field.name);
    }
    if (known->type != field.type) {
      return UserError("datagen makes column '{}' as {}, not {}: change its type in `columns`",
                       field.name, NameOf(known->type), NameOf(field.type));
    }
    columns.push_back(static_cast<Kind>(std::distance(all.begin(), known)));
  }
  return WebTraffic(options, std::move(columns));
}

void WebTraffic::AppendUrl(RowRandom& random, Column& column) {
  const size_t section = random.NextBelow(kSections.size());
  if (!kSectionHasNumber[section]) {
    column.AppendString(kSections[section]);
    return;
  }
  text_.assign(kSections[section]);
  fmt::format_to(std::back_inserter(text_), "{}", random.NextBelow(1000));
  column.AppendString(text_);
}

// Distinct addresses for distinct numbers below 2^27: an odd factor permutes the residues.
void WebTraffic::AppendIp(int64_t ip_number, Column& column) {
  const uint64_t bits = (static_cast<uint64_t>(ip_number) * 0x5851f42d + options_.seed) & 0x7ffffff;
  const std::array<uint64_t, 4> octets = {32 + (bits >> 21), (bits >> 13) & 0xff,
                                          (bits >> 5) & 0xff, (bits & 0x1f) * 8 + 1};
  std::array<char, 16> text;
  char* end = text.data();
  for (size_t i = 0; i < octets.size(); ++i) {
    if (i > 0) *end++ = '.';
    end = std::to_chars(end, text.data() + text.size(), octets[i]).ptr;
  }
  column.AppendString({text.data(), static_cast<size_t>(end - text.data())});
}

void WebTraffic::AppendRow(int64_t number, int64_t time_ms, BatchBuilder& out) {
  // All that is random is drawn in the same order whichever columns are wanted.
  RowRandom random(options_.seed, static_cast<uint64_t>(number));
  const int64_t jitter_ms =
      static_cast<int64_t>(random.NextBelow(static_cast<uint64_t>(options_.disorder_ms) + 1));
  const int64_t key = keys_.Sample(random);
  const bool has_referrer = random.NextDouble() >= options_.null_ratio;
  const size_t referrer = random.NextBelow(kReferrers.size());
  const size_t user_agent = random.NextBelow(kUserAgents.size());

  // A visitor goes to two hosts; some hosts have many more visitors than others.
  const auto num_hosts = static_cast<uint64_t>(options_.hosts);
  const int64_t visitor = num_hosts > 1 ? key / 2 : key;
  const double u = RowRandom(options_.seed, ~static_cast<uint64_t>(visitor)).NextDouble();
  const uint64_t first_host = static_cast<uint64_t>(static_cast<double>(num_hosts) * u * u);
  const uint64_t host = (first_host + static_cast<uint64_t>(key & 1)) % num_hosts;

  for (size_t i = 0; i < columns_.size(); ++i) {
    Column& column = out.column(static_cast<int>(i));
    switch (columns_[i]) {
      case Kind::kUrl:
        AppendUrl(random, column);
        break;
      case Kind::kReferrer:
        has_referrer ? column.AppendString(kReferrers[referrer]) : column.AppendNull();
        break;
      case Kind::kUserAgent:
        column.AppendString(kUserAgents[user_agent]);
        break;
      case Kind::kHost:
        column.AppendString(hosts_[host]);
        break;
      case Kind::kIp:
        AppendIp(visitor, column);
        break;
      case Kind::kHeaders:
        column.AppendString("{}");
        break;
      case Kind::kEventTime:
        column.AppendInt64(time_ms - jitter_ms);
        break;
    }
  }
  out.FinishRow();
}

}  // namespace watershed
