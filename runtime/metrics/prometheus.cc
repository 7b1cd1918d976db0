#include "runtime/metrics/prometheus.h"

#include <netdb.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <exception>
#include <map>
#include <set>
#include <thread>

#include "runtime/metrics/definition.h"

namespace watershed {
namespace {

Result<int> ParsePort(std::string_view text, std::string_view range) {
  int port = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 0 || port > 65535) {
    return UserError(
        "'{}' is no port range: expected a port such as 9249, a range such as "
        "9249-9260, or 0 for any free port",
        range);
  }
  return port;
}

std::string HostPort(const std::string& address, int port) {
  const bool ipv6 = address.find(':') != std::string::npos && address.front() != '[';
  return ipv6 ? fmt::format("[{}]:{}", address, port) : fmt::format("{}:{}", address, port);
}

// Opens a connection and drops it.
void Connect(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    (void)connect(fd, found->ai_addr, found->ai_addrlen);
    close(fd);
  }
  freeaddrinfo(found);
}

}  // namespace

Result<std::vector<int>> ParsePortRange(std::string_view range) {
  std::vector<int> ports;
  for (std::string_view rest = range;;) {
    const size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    const size_t dash = part.find('-');
    WS_ASSIGN_OR_RETURN(const int first, ParsePort(part.substr(0, dash), range));
    int last = first;
    if (dash != std::string_view::npos) {
      WS_ASSIGN_OR_RETURN(last, ParsePort(part.substr(dash + 1), range));
    }
    if (last < first) return UserError("port range '{}' ends before it begins", range);
    for (int port = first; port <= last; ++port) ports.push_back(port);
    if (comma == std::string_view::npos) return ports;
    rest.remove_prefix(comma + 1);
  }
}

// Families in order of name, each with every series once: two groups may carry the same labels for
// a moment, and Prometheus refuses a whole scrape over one duplicate.
class PrometheusExporter::Collector : public prometheus::Collectable {
 public:
  explicit Collector(const MetricRegistry& registry) : registry_(registry) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::map<std::string, prometheus::MetricFamily> families;
    std::set<std::pair<std::string, MetricLabels>> seen;
    for (MetricSample& sample : registry_.Collect()) {
      if (!seen.insert({sample.name, sample.labels}).second) continue;
      prometheus::MetricFamily& family = families[sample.name];
      family.name = sample.name;
      family.type = prometheus::MetricType::Gauge;
      if (const MetricDefinition* known = FindMetric(sample.name); family.help.empty() && known) {
        family.help = known->meaning;
      }
      prometheus::ClientMetric& metric = family.metric.emplace_back();
      metric.gauge.value = sample.value;
      for (auto& [name, value] : sample.labels) {
        metric.label.push_back({std::move(name), std::move(value)});
      }
    }
    std::vector<prometheus::MetricFamily> out;
    out.reserve(families.size());
    for (auto& [name, family] : families) out.push_back(std::move(family));
    return out;
  }

 private:
  const MetricRegistry& registry_;
};

class PrometheusExporter::Server {
 public:
  Server(const std::string& host, int port)
      : host_(host),
        exposer_(std::make_unique<prometheus::Exposer>(HostPort(host, port), /*num_threads=*/2)),
        port_(exposer_->GetListeningPorts().at(0)) {}
  // The HTTP server's accept loop looks at its stop flag after a connection or after two seconds: a
  // connection spares every process two seconds at its end.
  ~Server() {
    std::jthread knock([this](const std::stop_token& stopped) {
      while (!stopped.stop_requested()) {
        Connect(host_, port_);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    });
    exposer_.reset();
  }
  prometheus::Exposer& exposer() { return *exposer_; }
  int port() const { return port_; }

 private:
  const std::string host_;
  std::unique_ptr<prometheus::Exposer> exposer_;
  const int port_;
};

PrometheusExporter::PrometheusExporter() = default;

PrometheusExporter::~PrometheusExporter() {
  server_.reset();  // before what it reads
}

Result<std::unique_ptr<PrometheusExporter>> PrometheusExporter::Start(
    const MetricRegistry& registry, const std::string& bind_address, std::string_view ports) {
  WS_ASSIGN_OR_RETURN(const std::vector<int> candidates, ParsePortRange(ports));
  std::string reason;
  for (const int port : candidates) {
    try {
      auto server = std::make_unique<Server>(bind_address, port);
      std::unique_ptr<PrometheusExporter> exporter(new PrometheusExporter);
      exporter->port_ = server->port();
      exporter->collector_ = std::make_shared<Collector>(registry);
      server->exposer().RegisterCollectable(exporter->collector_);
      exporter->server_ = std::move(server);
      return exporter;
    } catch (const std::exception& error) {
      reason = error.what();
      if (reason.starts_with("null context")) reason.clear();  // of the HTTP server: says nothing
    }
  }
  return ExternalError(
      "metrics: cannot listen on {} port {}{}: it is in use, or this machine has no such address. "
      "Set metrics.reporter.prom.port to another port or range, or to 0 for any free port",
      bind_address, ports, reason.empty() ? "" : " (" + reason + ")");
}

}  // namespace watershed
