#include "runtime/job/redact.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace watershed {
namespace {

constexpr std::string_view kSecretWords[] = {"password", "passwd",      "secret",    "token",
                                             "api-key",  "apikey",      "api_key",   "credential",
                                             "key.pem",  "jaas.config", "passphrase"};

std::string Lowercase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// "user:pw@" of the part between "//" and the first of "/?#": the last "@" ends it, for passwords
// may hold one.
void RedactUserInfo(std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return;
  const size_t begin = scheme + 3;
  const size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  const size_t at = url.rfind('@', end);
  if (at == std::string::npos || at < begin || at >= end) return;
  const size_t colon = url.find(':', begin);
  if (colon == std::string::npos || colon > at) return;
  url.replace(colon + 1, at - colon - 1, kRedacted);
}

void RedactQuery(std::string& url) {
  size_t at = url.find('?');
  while (at != std::string::npos && at + 1 < url.size()) {
    const size_t begin = at + 1;
    const size_t end = std::min(url.find('&', begin), url.size());
    const size_t equals = url.find('=', begin);
    size_t next = end;
    if (equals < end && LooksSecret(std::string_view(url).substr(begin, equals - begin))) {
      url.replace(equals + 1, end - equals - 1, kRedacted);
      next = equals + 1 + kRedacted.size();
    }
    at = next < url.size() ? next : std::string::npos;
  }
}

void RedactConnector(v1::Connector& connector) {
  for (auto& [name, value] : *connector.mutable_options()) {
    const auto& secrets = connector.secret_options();
    const bool secret =
        LooksSecret(name) || std::find(secrets.begin(), secrets.end(), name) != secrets.end();
    // An empty secret is no secret, and seeing that it is empty helps.
    if (secret && !value.empty()) {
      value = kRedacted;
    } else {
      value = RedactUrl(value);
    }
  }
}

}  // namespace

bool LooksSecret(std::string_view option_name) {
  const std::string lower = Lowercase(option_name);
  return std::any_of(std::begin(kSecretWords), std::end(kSecretWords),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

std::string RedactUrl(std::string_view value) {
  std::string url(value);
  if (url.find("://") == std::string::npos) return url;
  RedactUserInfo(url);
  RedactQuery(url);
  return url;
}

v1::JobGraph Redact(v1::JobGraph graph) {
  for (v1::SourceNode& source : *graph.mutable_sources()) {
    RedactConnector(*source.mutable_connector());
  }
  for (v1::SinkNode& sink : *graph.mutable_sinks()) RedactConnector(*sink.mutable_connector());
  return graph;
}

v1::PhysicalPlan Redact(v1::PhysicalPlan plan) {
  for (v1::Vertex& vertex : *plan.mutable_vertices()) {
    for (v1::PlanNode& node : *vertex.mutable_nodes()) {
      if (node.has_table_source_scan()) {
        RedactConnector(*node.mutable_table_source_scan()->mutable_connector());
      } else if (node.has_sink()) {
        RedactConnector(*node.mutable_sink()->mutable_connector());
      }
    }
  }
  return plan;
}

}  // namespace watershed
