#include "runtime/connectors/kafka/inquiry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Requests are cut into slices, so that a cause that is final ends the waiting.
constexpr milliseconds kSlice{1'000};

constexpr milliseconds kPatienceWithIncident{4'000};

using Metadata =
    std::unique_ptr<const rd_kafka_metadata_t, KafkaDeleter<rd_kafka_metadata_destroy>>;

// "; there are 'a', 'b'": at most five, those that share most of their beginning first.
std::string NearNames(const std::string& name, std::vector<std::string> names) {
  std::erase_if(names, [](const std::string& other) { return other.starts_with("__"); });
  if (names.empty()) return "; there are no topics";
  const auto common_prefix = [&](const std::string& other) {
    const auto end = std::mismatch(name.begin(), name.end(), other.begin(), other.end()).first;
    return std::distance(name.begin(), end);
  };
  std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return std::pair(-common_prefix(a), a) < std::pair(-common_prefix(b), b);
  });
  const bool more = names.size() > 5;
  if (more) names.resize(5);
  return fmt::format("; there are '{}'{}", fmt::join(names, "', '"), more ? " and others" : "");
}

}  // namespace

Status KafkaInquiry::Ask(const std::string& doing,
                         const std::function<rd_kafka_resp_err_t(int timeout_ms)>& request) {
  while (true) {
    const rd_kafka_resp_err_t error = request(static_cast<int>(kSlice.count()));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Ok();
    rd_kafka_poll(client_.handle(), 0);  // collects incidents
    const bool final = client_.final_incident() || IsFinalKafkaError(error);
    if (client_.last_incident()) {
      give_up_at_ = std::min(give_up_at_, steady_clock::now() + kPatienceWithIncident);
    }
    if (final || steady_clock::now() >= give_up_at_ || !MayPass(error)) {
      return tl::make_unexpected(client_.MakeError(doing, error, rd_kafka_err2str(error)));
    }
  }
}

bool KafkaInquiry::MayPass(rd_kafka_resp_err_t error) const {
  // A wrong port or protocol does not change while one waits; it fails every connection alike.
  const auto incident = client_.last_incident();
  if (incident && incident->code == RD_KAFKA_RESP_ERR__SSL) return false;
  switch (error) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
      return true;
    default:
      return false;
  }
}

Result<std::vector<int32_t>> KafkaInquiry::Partitions(const std::string& topic) {
  const std::string doing = fmt::format("the partitions of topic '{}' cannot be listed", topic);
  // All topics are asked for: a question about one may create it.
  const rd_kafka_metadata_t* answer = nullptr;
  WS_RETURN_IF_ERROR(Ask(doing, [&](int timeout_ms) {
    return rd_kafka_metadata(client_.handle(), 1, nullptr, &answer, timeout_ms);
  }));
  const Metadata metadata(answer);
  std::vector<std::string> names;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& found = metadata->topics[i];
    names.emplace_back(found.topic);
    if (topic != found.topic) continue;
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return tl::make_unexpected(client_.MakeError(doing, found.err, rd_kafka_err2str(found.err)));
    }
    std::vector<int32_t> partitions(static_cast<size_t>(found.partition_cnt));
    for (size_t k = 0; k < partitions.size(); ++k) partitions[k] = found.partitions[k].id;
    std::sort(partitions.begin(), partitions.end());
    return partitions;
  }
  return UserError("topic '{}' does not exist at {}, or this user may not see it{}", topic,
                   client_.bootstrap_servers(), NearNames(topic, std::move(names)));
}

}  // namespace watershed
