#include "runtime/connectors/kafka/enumerator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "runtime/connectors/kafka/client.h"
#include "runtime/connectors/kafka/options.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTotalTimeout{20'000};
// Requests are cut into slices, so that a cause that is final ends the waiting.
constexpr milliseconds kSlice{1'000};

struct OffsetRange {
  int64_t low = 0;
  int64_t end = 0;
};

using Metadata =
    std::unique_ptr<const rd_kafka_metadata_t, KafkaDeleter<rd_kafka_metadata_destroy>>;

class KafkaEnumerator : public SplitEnumerator {
 public:
  KafkaEnumerator(KafkaSourceOptions options, ConnectorContext context)
      : options_(std::move(options)), context_(std::move(context)) {}

  Result<std::vector<SourceSplit>> Discover() override {
    give_up_at_ = steady_clock::now() + kTotalTimeout;
    const std::string id = fmt::format("watershed-{}-{}", context_.job_name, context_.operator_id);
    WS_ASSIGN_OR_RETURN(
        client_, KafkaClient::Create(
                     RD_KAFKA_CONSUMER, options_.properties,
                     {{"client.id", id}, {"group.id", id}, {"isolation.level", "read_committed"}},
                     {{"enable.auto.commit", "false"},
                      {"auto.offset.reset", "error"},
                      {"allow.auto.create.topics", "false"}}));
    std::vector<SourceSplit> splits;
    for (const std::string& topic : options_.topics) {
      WS_RETURN_IF_ERROR(AddPartitions(topic, splits));
    }
    WS_RETURN_IF_ERROR(ResolveOffsets(splits));
    return splits;
  }

 private:
  // Calls `request` with time-outs until it succeeds, a final cause is known or the time is up.
  Status Ask(const std::string& doing,
             const std::function<rd_kafka_resp_err_t(int timeout_ms)>& request) {
    while (true) {
      const rd_kafka_resp_err_t error = request(static_cast<int>(kSlice.count()));
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Ok();
      rd_kafka_poll(client_->handle(), 0);  // collects incidents
      const bool final = client_->final_incident() || IsFinalKafkaError(error);
      if (final || steady_clock::now() >= give_up_at_ || !MayPass(error)) {
        return tl::make_unexpected(client_->MakeError(doing, error, rd_kafka_err2str(error)));
      }
    }
  }

  bool MayPass(rd_kafka_resp_err_t error) const {
    // A wrong port or protocol does not change while one waits; it fails every connection alike.
    const auto& incident = client_->last_incident();
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

  Result<Metadata> AskMetadata(const std::string& doing, rd_kafka_topic_t* topic) {
    const rd_kafka_metadata_t* metadata = nullptr;
    WS_RETURN_IF_ERROR(Ask(doing, [&](int timeout_ms) {
      return rd_kafka_metadata(client_->handle(), topic == nullptr ? 1 : 0, topic, &metadata,
                               timeout_ms);
    }));
    return Metadata(metadata);
  }

  Status AddPartitions(const std::string& name, std::vector<SourceSplit>& splits) {
    const std::string doing = fmt::format("the partitions of topic '{}' cannot be listed", name);
    const KafkaTopic topic(rd_kafka_topic_new(client_->handle(), name.c_str(), nullptr));
    if (topic == nullptr) return UserError("'{}' is not the name of a topic", name);
    WS_ASSIGN_OR_RETURN(const Metadata metadata, AskMetadata(doing, topic.get()));
    const rd_kafka_metadata_topic_t& found = metadata->topics[0];
    if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || found.partition_cnt == 0) {
      return MissingTopic(name);
    }
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return tl::make_unexpected(client_->MakeError(doing, found.err, rd_kafka_err2str(found.err)));
    }
    for (int i = 0; i < found.partition_cnt; ++i) {
      const int32_t partition = found.partitions[i].id;
      splits.push_back(
          {.id = fmt::format("{}-{}", name, partition), .topic = name, .partition = partition});
    }
    std::sort(splits.end() - found.partition_cnt, splits.end(),
              [](const auto& a, const auto& b) { return a.partition < b.partition; });
    return Ok();
  }

  Status MissingTopic(const std::string& name) {
    std::string near;
    if (const auto all = AskMetadata("topics cannot be listed", nullptr); all) {
      std::vector<std::string> names;
      for (int i = 0; i < (*all)->topic_cnt; ++i) names.emplace_back((*all)->topics[i].topic);
      near = NearNames(name, std::move(names));
    }
    return UserError("topic '{}' does not exist at {}{}", name, client_->bootstrap_servers(), near);
  }

  // "; there are 'a', 'b'": at most five, those that share most of their beginning first.
  static std::string NearNames(const std::string& name, std::vector<std::string> names) {
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

  Status ResolveOffsets(std::vector<SourceSplit>& splits) {
    std::vector<OffsetRange> ranges(splits.size());
    for (size_t i = 0; i < splits.size(); ++i) {
      WS_RETURN_IF_ERROR(
          Ask(fmt::format("the offsets of {} cannot be read", splits[i].id), [&](int timeout_ms) {
            return rd_kafka_query_watermark_offsets(client_->handle(), splits[i].topic.c_str(),
                                                    splits[i].partition, &ranges[i].low,
                                                    &ranges[i].end, timeout_ms);
          }));
    }
    WS_RETURN_IF_ERROR(ResolveStarts(splits, ranges));
    return ResolveEnds(splits, ranges);
  }

  Status ResolveStarts(std::vector<SourceSplit>& splits, const std::vector<OffsetRange>& ranges) {
    std::vector<int64_t> offsets(splits.size());
    switch (options_.startup_mode) {
      case KafkaStartupMode::kEarliestOffset:
        for (size_t i = 0; i < splits.size(); ++i) offsets[i] = ranges[i].low;
        break;
      case KafkaStartupMode::kLatestOffset:
        for (size_t i = 0; i < splits.size(); ++i) offsets[i] = ranges[i].end;
        break;
      case KafkaStartupMode::kTimestamp: {
        WS_ASSIGN_OR_RETURN(offsets, OffsetsForTime(splits, ranges, options_.startup_timestamp_ms));
        break;
      }
      case KafkaStartupMode::kGroupOffsets: {
        WS_ASSIGN_OR_RETURN(offsets, CommittedOffsets(splits, ranges));
        break;
      }
      case KafkaStartupMode::kSpecificOffsets: {
        WS_ASSIGN_OR_RETURN(offsets, SpecificOffsets(splits, ranges));
        break;
      }
    }
    for (size_t i = 0; i < splits.size(); ++i) splits[i].start_position = offsets[i];
    return Ok();
  }

  Status ResolveEnds(std::vector<SourceSplit>& splits, const std::vector<OffsetRange>& ranges) {
    if (options_.bounded_mode == KafkaBoundedMode::kUnbounded) return Ok();
    std::vector<int64_t> ends(splits.size());
    for (size_t i = 0; i < splits.size(); ++i) ends[i] = ranges[i].end;
    if (options_.bounded_mode == KafkaBoundedMode::kTimestamp) {
      WS_ASSIGN_OR_RETURN(ends, OffsetsForTime(splits, ranges, options_.bounded_timestamp_ms));
    }
    for (size_t i = 0; i < splits.size(); ++i) {
      splits[i].end_position = std::max(ends[i], splits[i].start_position);
    }
    return Ok();
  }

  static KafkaPartitionList ListOf(const std::vector<SourceSplit>& splits, int64_t offset) {
    KafkaPartitionList list = NewPartitionList(splits.size());
    for (const SourceSplit& split : splits) {
      rd_kafka_topic_partition_list_add(list.get(), split.topic.c_str(), split.partition)->offset =
          offset;
    }
    return list;
  }

  // The first offset whose record is not older than `time_ms`; the end where there is none.
  Result<std::vector<int64_t>> OffsetsForTime(const std::vector<SourceSplit>& splits,
                                              const std::vector<OffsetRange>& ranges,
                                              int64_t time_ms) {
    KafkaPartitionList list;
    WS_RETURN_IF_ERROR(
        Ask(fmt::format("offsets at time {} cannot be read", time_ms), [&](int timeout_ms) {
          list = ListOf(splits, time_ms);
          return FirstError(rd_kafka_offsets_for_times(client_->handle(), list.get(), timeout_ms),
                            *list);
        }));
    std::vector<int64_t> offsets(splits.size());
    for (size_t i = 0; i < splits.size(); ++i) {
      const int64_t offset = list->elems[i].offset;
      offsets[i] = offset < 0 ? ranges[i].end : std::min(offset, ranges[i].end);
    }
    return offsets;
  }

  static rd_kafka_resp_err_t FirstError(rd_kafka_resp_err_t error,
                                        const rd_kafka_topic_partition_list_t& list) {
    for (int i = 0; error == RD_KAFKA_RESP_ERR_NO_ERROR && i < list.cnt; ++i) {
      error = list.elems[i].err;
    }
    return error;
  }

  Result<std::vector<int64_t>> CommittedOffsets(const std::vector<SourceSplit>& splits,
                                                const std::vector<OffsetRange>& ranges) {
    const std::string& group = options_.properties.at("group.id");
    KafkaPartitionList list;
    WS_RETURN_IF_ERROR(Ask(
        fmt::format("the committed offsets of group '{}' cannot be read", group),
        [&](int timeout_ms) {
          list = ListOf(splits, RD_KAFKA_OFFSET_INVALID);
          return FirstError(rd_kafka_committed(client_->handle(), list.get(), timeout_ms), *list);
        }));
    std::vector<int64_t> offsets(splits.size());
    for (size_t i = 0; i < splits.size(); ++i) {
      offsets[i] = list->elems[i].offset;
      if (offsets[i] >= 0) {
        WS_RETURN_IF_ERROR(
            RequireInRange(fmt::format("the offset that group '{}' committed", group), splits[i],
                           offsets[i], ranges[i]));
        continue;
      }
      if (options_.group_offsets_fallback == KafkaOffsetFallback::kFail) {
        return UserError(
            "group '{}' has committed no offset for {}: choose another scan.startup.mode, or say "
            "scan.startup.group-offsets-fallback: earliest-offset or latest-offset",
            group, splits[i].id);
      }
      offsets[i] = options_.group_offsets_fallback == KafkaOffsetFallback::kEarliest
                       ? ranges[i].low
                       : ranges[i].end;
    }
    return offsets;
  }

  Result<std::vector<int64_t>> SpecificOffsets(const std::vector<SourceSplit>& splits,
                                               const std::vector<OffsetRange>& ranges) {
    for (const auto& [partition, offset] : options_.specific_offsets) {
      const bool exists =
          std::any_of(splits.begin(), splits.end(),
                      [&, id = partition](const auto& split) { return split.partition == id; });
      if (!exists) {
        return UserError("scan.startup.specific-offsets names partition {}, but topic '{}' has {}",
                         partition, options_.topics.front(), splits.size());
      }
    }
    std::vector<int64_t> offsets(splits.size());
    for (size_t i = 0; i < splits.size(); ++i) {
      const auto given = options_.specific_offsets.find(splits[i].partition);
      offsets[i] = given != options_.specific_offsets.end() ? given->second : ranges[i].low;
      WS_RETURN_IF_ERROR(RequireInRange("scan.startup.specific-offsets: offset", splits[i],
                                        offsets[i], ranges[i]));
    }
    return offsets;
  }

  static Status RequireInRange(const std::string& what, const SourceSplit& split, int64_t offset,
                               const OffsetRange& range) {
    if (offset >= range.low && offset <= range.end) return Ok();
    return UserError("{} {} of topic '{}' partition {} is not in the topic, which holds {} to {}{}",
                     what, offset, split.topic, split.partition, range.low, range.end,
                     offset < range.low ? ": retention has removed it" : "");
  }

  KafkaSourceOptions options_;
  ConnectorContext context_;
  std::unique_ptr<KafkaClient> client_;
  steady_clock::time_point give_up_at_;
};

}  // namespace

Result<std::unique_ptr<SplitEnumerator>> MakeKafkaEnumerator(const OptionMap& options,
                                                             const ConnectorContext& context) {
  WS_ASSIGN_OR_RETURN(KafkaSourceOptions parsed, ParseKafkaSourceOptions(options));
  return std::make_unique<KafkaEnumerator>(std::move(parsed), context);
}

}  // namespace watershed
