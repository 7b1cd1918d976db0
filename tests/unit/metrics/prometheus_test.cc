#include "runtime/metrics/prometheus.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/metrics/names.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string HttpGet(int port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string response;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
    if (write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size())) {
      char buffer[4096];
      for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0;) {
        response.append(buffer, static_cast<size_t>(n));
      }
    }
  }
  close(fd);
  return response;
}

TEST(PrometheusTest, ServesGaugesWithFlinksNames) {
  MetricRegistry registry;
  MetricGroup group(&registry, {{"tm_id", "tm-1"}, {"task_name", "a \"b\" \\ c"}});
  group.counter(metric_names::kTaskRecordsIn).Add(12);
  auto exporter = PrometheusExporter::Start(registry, "127.0.0.1", "0");
  ASSERT_TRUE(exporter) << exporter.error().message;
  ASSERT_GT((*exporter)->port(), 0);
  const std::string body = HttpGet((*exporter)->port(), "/metrics");
  EXPECT_THAT(body, HasSubstr("200 OK"));
  EXPECT_THAT(body, HasSubstr("# HELP flink_taskmanager_job_task_numRecordsIn Rows that came"));
  EXPECT_THAT(body, HasSubstr("# TYPE flink_taskmanager_job_task_numRecordsIn gauge"));
  EXPECT_THAT(body, HasSubstr("flink_taskmanager_job_task_numRecordsIn{tm_id=\"tm-1\","
                              "task_name=\"a \\\"b\\\" \\\\ c\"} 12"));
}

TEST(PrometheusTest, OneSeriesIsServedOnce) {
  MetricRegistry registry;
  MetricGroup old_attempt(&registry, {{"x", "1"}});
  MetricGroup new_attempt(&registry, {{"x", "1"}});
  old_attempt.gauge("g").Set(5);
  new_attempt.gauge("g").Set(6);
  auto exporter = PrometheusExporter::Start(registry, "127.0.0.1", "0");
  ASSERT_TRUE(exporter);
  const std::string body = HttpGet((*exporter)->port(), "/metrics");
  EXPECT_THAT(body, HasSubstr("g{x=\"1\"} 5"));
  EXPECT_THAT(body, Not(HasSubstr("g{x=\"1\"} 6")));
}

TEST(PrometheusTest, TakesTheNextFreePortOfARange) {
  MetricRegistry registry;
  auto first = PrometheusExporter::Start(registry, "127.0.0.1", "0");
  ASSERT_TRUE(first);
  const int taken = (*first)->port();
  auto second = PrometheusExporter::Start(registry, "127.0.0.1", fmt::format("{},0", taken));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE((*second)->port(), taken);
  auto third = PrometheusExporter::Start(registry, "127.0.0.1", std::to_string(taken));
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().domain, ErrorDomain::kExternal);
  EXPECT_THAT(third.error().message, HasSubstr(std::to_string(taken) + ": it is in use"));
}

TEST(PrometheusTest, PortRanges) {
  EXPECT_THAT(*ParsePortRange("9249-9251"), ElementsAre(9249, 9250, 9251));
  EXPECT_THAT(*ParsePortRange("9249,9300-9301,0"), ElementsAre(9249, 9300, 9301, 0));
  for (const char* bad : {"", "x", "9260-9249", "9249-", "-1", "65536", "9249,", "9249 - 9260"}) {
    const auto result = ParsePortRange(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().domain, ErrorDomain::kUser);
  }
}

}  // namespace
}  // namespace watershed
