#include "runtime/connectors/kafka/enumerator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/connectors/kafka/client.h"
#include "runtime/connectors/kafka/inquiry.h"
#include "runtime/connectors/kafka/options.h"

namespace watershed {
namespace {

constexpr std::chrono::milliseconds kTotalTimeout{20'000};

struct OffsetRange {
  int64_t low = 0;
  int64_t end = 0;
};

class KafkaEnumerator : public SplitEnumerator {
 public:
  KafkaEnumerator(KafkaSourceOptions options, ConnectorContext context)
      : options_(std::move(options)), context_(std::move(context)) {}

  ~KafkaEnumerator() override { GiveUpClient(std::move(client_)); }

  Result<std::vector<SourceSplit>> Discover() override {
    const std::string id = fmt::format("watershed-{}-{}", context_.job_name, context_.operator_id);
    WS_ASSIGN_OR_RETURN(client_, KafkaClient::Create(RD_KAFKA_CONSUMER, options_.properties,
                                                     {{"client.id", id},
                                                      {"group.id", id},
                                                      {"socket.timeout.ms", "10000"},
                                                      {"isolation.level", "read_committed"}},
                                                     {{"enable.auto.commit", "false"},
                                                      {"auto.offset.reset", "error"},
                                                      {"allow.auto.create.topics", "false"}}));
    inquiry_.emplace(*client_, kTotalTimeout);
    std::vector<SourceSplit> splits;
    for (const std::string& topic : options_.topics) {
      WS_RETURN_IF_ERROR(AddPartitions(topic, splits));
    }
    WS_RETURN_IF_ERROR(ResolveOffsets(splits));
    return splits;
  }

 private:
  Status Ask(const std::string& doing,
             const std::function<rd_kafka_resp_err_t(int timeout_ms)>& request) {
    return inquiry_->Ask(doing, request);
  }

  Status AddPartitions(const std::string& topic, std::vector<SourceSplit>& splits) {
    WS_ASSIGN_OR_RETURN(const std::vector<int32_t> partitions, inquiry_->Partitions(topic));
    for (const int32_t partition : partitions) {
      splits.push_back(
          {.id = fmt::format("{}-{}", topic, partition), .topic = topic, .partition = partition});
    }
    return Ok();
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
    if (options_.bounded_mode == KafkaBoundedMode::kSpecificOffsets) {
      WS_RETURN_IF_ERROR(
          RequirePartitions("scan.bounded.specific-offsets", options_.bounded_offsets, splits));
      for (size_t i = 0; i < splits.size(); ++i) {
        const auto given = options_.bounded_offsets.find(splits[i].partition);
        if (given != options_.bounded_offsets.end()) ends[i] = given->second;
      }
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

  Status RequirePartitions(std::string_view option, const std::map<int32_t, int64_t>& offsets,
                           const std::vector<SourceSplit>& splits) const {
    for (const auto& [partition, offset] : offsets) {
      const bool exists =
          std::any_of(splits.begin(), splits.end(),
                      [&, id = partition](const auto& split) { return split.partition == id; });
      if (!exists) {
        return UserError("{} names partition {}, but topic '{}' has {}", option, partition,
                         options_.topics.front(), splits.size());
      }
    }
    return Ok();
  }

  Result<std::vector<int64_t>> SpecificOffsets(const std::vector<SourceSplit>& splits,
                                               const std::vector<OffsetRange>& ranges) {
    WS_RETURN_IF_ERROR(
        RequirePartitions("scan.startup.specific-offsets", options_.startup_offsets, splits));
    std::vector<int64_t> offsets(splits.size());
    for (size_t i = 0; i < splits.size(); ++i) {
      const auto given = options_.startup_offsets.find(splits[i].partition);
      offsets[i] = given != options_.startup_offsets.end() ? given->second : ranges[i].low;
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
  std::shared_ptr<KafkaClient> client_;
  std::optional<KafkaInquiry> inquiry_;
};

}  // namespace

Result<std::unique_ptr<SplitEnumerator>> MakeKafkaEnumerator(const OptionMap& options,
                                                             const ConnectorContext& context) {
  WS_ASSIGN_OR_RETURN(KafkaSourceOptions parsed, ParseKafkaSourceOptions(options));
  return std::make_unique<KafkaEnumerator>(std::move(parsed), context);
}

}  // namespace watershed
