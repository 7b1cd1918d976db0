#include "runtime/connectors/kafka/source.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <utility>

#include "runtime/connectors/kafka/client.h"
#include "runtime/connectors/kafka/committed_offsets.h"
#include "runtime/connectors/kafka/options.h"
#include "runtime/connectors/kafka/partition_reader.h"
#include "runtime/connectors/kafka/prefetch.h"
#include "runtime/connectors/kafka/prober.h"
#include "runtime/memory/memory_account.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr nanoseconds kHousekeepingInterval = milliseconds(100);
constexpr nanoseconds kLagInterval = milliseconds(500);
// A partition at its end is confirmed anew this often while nothing follows.
constexpr nanoseconds kProbeInterval = milliseconds(1000);
// An answer that takes longer counts as none.
constexpr nanoseconds kProbePatience = milliseconds(3000);
constexpr nanoseconds kMissingPatience = std::chrono::seconds(10);

KafkaSettings Defaults(const ConnectorContext& context, const KafkaPrefetch& prefetch) {
  return {
      {"client.id", fmt::format("watershed-{}-{}", context.job_name, context.operator_id)},
      // Assigning by hand needs the name of a group, although none is joined.
      {"group.id", fmt::format("watershed-{}-{}", context.job_name, context.operator_id)},
      {"isolation.level", "read_committed"},
      {"queued.min.messages", "1000000"},  // the bound is in bytes
      {"queued.max.messages.kbytes", std::to_string(prefetch.queued_bytes >> 10)},
      {"fetch.message.max.bytes", std::to_string(prefetch.fetch_bytes)},
      {"fetch.max.bytes", std::to_string(prefetch.max_fetch_bytes)},
      // One fetch a broker is under way: while it waits for a partition at its end, others starve.
      {"fetch.wait.max.ms", "100"},
      {"reconnect.backoff.max.ms", "2000"},
      {"socket.timeout.ms", "10000"},
      {"socket.keepalive.enable", "true"},
  };
}

const KafkaSettings& Fixed() {
  static const KafkaSettings kFixed = {
      {"enable.auto.commit", "false"}, {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},  {"enable.partition.eof", "true"},
      {"statistics.interval.ms", "0"}, {"allow.auto.create.topics", "false"},
  };
  return kFixed;
}

class KafkaSource : public Source {
 public:
  KafkaSource(KafkaSourceOptions options, ConnectorContext context)
      : options_(std::move(options)),
        context_(std::move(context)),
        clock_(context_.clock != nullptr ? context_.clock : &SystemClock()),
        memory_(context_.memory, MemoryShare::kSources) {}
  ~KafkaSource() override { Close(); }

  Status Open(std::span<const SourceSplit> splits) override {
    wakeup_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wakeup_fd_ < 0) return ExternalError("eventfd: {}", std::strerror(errno));
    return AddSplits(splits);
  }

  Status AddSplits(std::span<const SourceSplit> splits) override {
    if (splits.empty()) return Ok();
    WS_RETURN_IF_ERROR(EnsureClient(splits.size()));
    KafkaPartitionList assignment = NewPartitionList(splits.size());
    for (const SourceSplit& split : splits) {
      PartitionReader& reader = readers_.emplace_back(split, static_cast<int32_t>(readers_.size()));
      if (commits_offsets() && context_.metrics != nullptr) {
        committed_->Export(split.topic, split.partition, *context_.metrics);
      }
      if (reader.finished()) continue;
      WS_RETURN_IF_ERROR(reader.OpenQueue(client_->handle(), wakeup_fd_));
      rd_kafka_topic_partition_list_add(assignment.get(), split.topic.c_str(), split.partition)
          ->offset = split.start_position;
    }
    known_.resize(readers_.size());
    if (assignment->cnt == 0) return Ok();
    const auto failure = std::unique_ptr<rd_kafka_error_t, KafkaDeleter<rd_kafka_error_destroy>>(
        rd_kafka_incremental_assign(client_->handle(), assignment.get()));
    if (failure != nullptr) {
      return InternalError("partitions cannot be assigned: {}",
                           rd_kafka_error_string(failure.get()));
    }
    return Ok();
  }

  Status Poll(PolledRecords& out, int max_records, milliseconds deadline) override {
    out.Clear();
    ReleaseMessages();
    const nanoseconds now = clock_->Steady();
    if (client_ != nullptr && now >= next_housekeeping_) {
      next_housekeeping_ = now + kHousekeepingInterval;
      WS_RETURN_IF_ERROR(ServeClient(now));
    }
    WS_RETURN_IF_ERROR(Sweep(out, max_records));
    if (out.raw.empty() && !AllFinished() && deadline.count() > 0) {
      WaitForRecords(deadline);
      WS_RETURN_IF_ERROR(Sweep(out, max_records));
    }
    KeepFetching();
    TellProgress(out);
    return Ok();
  }

  Status Pause(int32_t split_index) override {
    readers_.at(static_cast<size_t>(split_index)).set_paused(true);
    return Ok();
  }
  Status Resume(int32_t split_index) override {
    readers_.at(static_cast<size_t>(split_index)).set_paused(false);
    // Its queue may be full already, and then says nothing.
    const uint64_t one = 1;
    static_cast<void>(!write(wakeup_fd_, &one, sizeof(one)));
    return Ok();
  }

  std::vector<SplitPosition> Positions() const override {
    std::vector<SplitPosition> positions;
    positions.reserve(readers_.size());
    for (const PartitionReader& reader : readers_) {
      positions.push_back({reader.split().id, reader.next_position()});
    }
    return positions;
  }

  void OnCheckpointComplete(std::span<const SplitPosition> positions) override;

  void Close() override {
    ReleaseMessages();
    prober_.reset();
    readers_.clear();  // and their queues, before the client
    GiveUpClient(std::move(client_));
    memory_.Set(0);
    if (wakeup_fd_ >= 0) close(wakeup_fd_);
    wakeup_fd_ = -1;
  }

 private:
  // What is known of a split, and what of it has been told.
  struct Known {
    std::optional<int64_t> end_confirmed_at;  // by the last probe, when we were there
    bool caught_up_told = false;
    std::optional<nanoseconds> asked_at;  // of a probe that is not answered yet
    // Since when probes find an end before the one that was fixed at the start.
    std::optional<nanoseconds> shorter_since;
    bool finish_told = false;
  };

  // A subtask without partitions has no client.
  Status EnsureClient(size_t partitions) {
    if (client_ != nullptr) return Ok();
    WS_ASSIGN_OR_RETURN(const KafkaPrefetch prefetch,
                        PlanKafkaPrefetch(static_cast<int64_t>(partitions), context_.memory_bytes,
                                          options_.properties));
    WS_ASSIGN_OR_RETURN(
        client_, KafkaClient::Create(
                     RD_KAFKA_CONSUMER, options_.properties, Defaults(context_, prefetch), Fixed(),
                     /*on_delivery=*/nullptr, [committed = committed_](auto error, auto& offsets) {
                       committed->OnReport(error, offsets);
                     }));
    memory_.Set(prefetch.memory_bytes);
    rd_kafka_poll_set_consumer(client_->handle());
    prober_ = std::make_unique<PartitionProber>(client_);
    return Ok();
  }

  // Group offsets are for monitoring only: a restart reads the checkpoint. They are written only
  // for a group that the job file names.
  bool commits_offsets() const { return options_.properties.contains("group.id"); }

  void ReleaseMessages() {
    for (rd_kafka_message_t* message : held_) rd_kafka_message_destroy(message);
    held_.clear();
  }

  // Every readable partition gets an equal share of what may be taken; what others leave goes to
  // those that have more.
  Status Sweep(PolledRecords& out, int max_records) {
    const size_t count = readers_.size();
    bool anyone_has_more = false;
    for (size_t i = 0; i < count; ++i) {
      const int left = max_records - static_cast<int>(out.raw.size());
      if (left <= 0) break;
      WS_ASSIGN_OR_RETURN(
          const bool has_more,
          TakeFrom((first_ + i) % count, std::max(1, left / static_cast<int>(count - i)), out));
      anyone_has_more |= has_more;
    }
    for (size_t i = 0; i < count && anyone_has_more; ++i) {
      const int left = max_records - static_cast<int>(out.raw.size());
      if (left <= 0) break;
      WS_RETURN_IF_ERROR(TakeFrom((first_ + i) % count, left, out));
    }
    if (count > 0) first_ = (first_ + 1) % count;
    return Ok();
  }

  // Whether the partition gave all that was asked for, and so may have more.
  Result<bool> TakeFrom(size_t index, int share, PolledRecords& out) {
    PartitionReader& reader = readers_[index];
    if (!reader.readable()) return false;
    const size_t before = out.raw.size();
    WS_RETURN_IF_ERROR(reader.Take(share, held_, out.raw));
    return out.raw.size() - before == static_cast<size_t>(share);
  }

  void WaitForRecords(milliseconds deadline) const {
    pollfd descriptor{.fd = wakeup_fd_, .events = POLLIN, .revents = 0};
    if (poll(&descriptor, 1, static_cast<int>(deadline.count())) > 0) {
      uint64_t count = 0;
      static_cast<void>(!read(wakeup_fd_, &count, sizeof(count)));
    }
  }

  // Until version 2.2 librdkafka looks at a full queue again only after a second (its 1000 ms
  // back-off) and is not told that it was emptied; a request to the broker wakes it. One small
  // question for each halving of a queue keeps the fetches coming, within a queue of a few
  // megabytes.
  void KeepFetching() {
    for (PartitionReader& reader : readers_) {
      if (reader.readable() && reader.NeedsFetch()) Probe(reader);
    }
  }

  void Probe(const PartitionReader& reader) {
    Known& known = known_[static_cast<size_t>(reader.index())];
    if (!known.asked_at) known.asked_at = clock_->Steady();
    prober_->Ask({reader.index(), reader.split().topic, reader.split().partition});
  }

  bool AllFinished() const {
    return std::all_of(readers_.begin(), readers_.end(),
                       [](const PartitionReader& reader) { return reader.finished(); });
  }

  Status ServeClient(nanoseconds now);
  Status CheckMissing(nanoseconds now);
  Status HandleAnswers(nanoseconds now);
  Status CheckEnd(const PartitionReader& reader, int64_t present_end, nanoseconds now);
  void OnProbeFailed(const PartitionReader& reader, rd_kafka_resp_err_t error);
  void TellProgress(PolledRecords& out);

  KafkaSourceOptions options_;
  ConnectorContext context_;
  const Clock* clock_;
  MemoryReservation memory_;
  int wakeup_fd_ = -1;
  std::shared_ptr<KafkaClient> client_;
  std::unique_ptr<PartitionProber> prober_;
  // Shared with the client, whose callbacks report to it.
  std::shared_ptr<CommittedOffsets> committed_ = std::make_shared<CommittedOffsets>();
  std::deque<PartitionReader> readers_;  // by split index
  std::vector<rd_kafka_message_t*> held_;
  std::vector<Known> known_;  // by split index
  std::vector<ProbeAnswer> answers_;
  // A round of probes that began after an incident: when all are answered, it has healed.
  bool round_in_doubt_ = false;
  bool round_failed_ = false;
  size_t first_ = 0;  // the partition a sweep begins with
  std::optional<nanoseconds> missing_since_;
  nanoseconds next_housekeeping_{0};
  nanoseconds next_probe_{0};
  nanoseconds next_lag_{0};
  std::string degraded_reason_;
};

// Serves callbacks and errors that belong to no partition, and asks brokers what has to be known.
Status KafkaSource::ServeClient(nanoseconds now) {
  while (rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->handle(), 0)) {
    rd_kafka_message_destroy(message);
  }
  if (AllFinished()) {  // whatever happens to the connections now is of no interest
    degraded_reason_.clear();
    client_->ForgetIncidents();
    return Ok();
  }
  if (const auto incident = client_->final_incident()) {
    return tl::make_unexpected(
        client_->MakeError("Kafka refuses this job's reader", incident->code, incident->reason));
  }
  WS_RETURN_IF_ERROR(CheckMissing(now));
  if (client_->all_brokers_down() && degraded_reason_.empty()) {
    degraded_reason_ = client_
                           ->MakeError("Kafka is away, retrying",
                                       RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "all brokers are down")
                           .message;
  }
  WS_RETURN_IF_ERROR(HandleAnswers(now));
  if (now < next_probe_) return Ok();
  next_probe_ = now + kProbeInterval;
  const bool in_doubt = !degraded_reason_.empty() || client_->last_incident().has_value();
  if (prober_->idle()) {
    round_in_doubt_ = in_doubt;
    round_failed_ = false;
  }
  for (const PartitionReader& reader : readers_) {
    if (!reader.finished() && (reader.at_end() || in_doubt)) Probe(reader);
  }
  return Ok();
}

// A broker that has just started may not know a topic yet; one that goes on not knowing it will
// not.
Status KafkaSource::CheckMissing(nanoseconds now) {
  const auto incident = client_->missing_incident();
  if (!incident) {
    missing_since_.reset();
    return Ok();
  }
  if (!missing_since_) missing_since_ = now;
  if (now - *missing_since_ < kMissingPatience) return Ok();
  return ExternalError(
      "{}: the brokers at {} do not know it any more; the topic was deleted while the job ran",
      incident->reason, client_->bootstrap_servers());
}

// An end never moves back, but a leader just elected may not know yet how far it goes. An end that
// the job file names may be still to come.
Status KafkaSource::CheckEnd(const PartitionReader& reader, int64_t present_end, nanoseconds now) {
  Known& known = known_[static_cast<size_t>(reader.index())];
  const SourceSplit& split = reader.split();
  if (present_end >= split.end_position.value_or(present_end) ||
      options_.bounded_mode == KafkaBoundedMode::kSpecificOffsets) {
    known.shorter_since.reset();
    return Ok();
  }
  if (!known.shorter_since) known.shorter_since = now;
  if (now - *known.shorter_since < kMissingPatience) return Ok();
  return ExternalError(
      "topic '{}' partition {} ends at offset {} now, before offset {}, which was its end when the "
      "job started: the topic was made anew, or a new leader lost records. Start the job again to "
      "read to the present end",
      split.topic, split.partition, present_end, *split.end_position);
}

Status KafkaSource::HandleAnswers(nanoseconds now) {
  prober_->TakeAnswers(answers_);
  for (const ProbeAnswer& answer : answers_) {
    Known& known = known_[static_cast<size_t>(answer.split_index)];
    known.asked_at.reset();
    const PartitionReader& reader = readers_[static_cast<size_t>(answer.split_index)];
    const bool answered = answer.error == RD_KAFKA_RESP_ERR_NO_ERROR;
    known.end_confirmed_at.reset();
    if (answered && answer.end_offset == reader.next_position()) {
      known.end_confirmed_at = answer.end_offset;
    }
    if (!answered) {
      OnProbeFailed(reader, answer.error);
    } else {
      WS_RETURN_IF_ERROR(CheckEnd(reader, answer.end_offset, now));
    }
  }
  for (const PartitionReader& reader : readers_) {
    Known& known = known_[static_cast<size_t>(reader.index())];
    if (!known.asked_at || now - *known.asked_at < kProbePatience) continue;
    known.end_confirmed_at.reset();
    OnProbeFailed(reader, RD_KAFKA_RESP_ERR__TIMED_OUT);
  }
  if (round_in_doubt_ && !round_failed_ && prober_->idle()) {
    round_in_doubt_ = false;
    degraded_reason_.clear();
    client_->ForgetIncidents();
  }
  return Ok();
}

void KafkaSource::OnProbeFailed(const PartitionReader& reader, rd_kafka_resp_err_t error) {
  round_failed_ = true;
  // A connection broke and the partition's leader does not answer: more than an idle close.
  if (!client_->last_incident()) return;
  degraded_reason_ =
      client_
          ->MakeError(fmt::format("Kafka partition {} cannot be read, retrying", reader.split().id),
                      error, rd_kafka_err2str(error))
          .message;
}

void KafkaSource::TellProgress(PolledRecords& out) {
  const nanoseconds now = clock_->Steady();
  const bool tell_lag = now >= next_lag_;
  if (tell_lag) next_lag_ = now + kLagInterval;
  for (PartitionReader& reader : readers_) {
    Known& known = known_[static_cast<size_t>(reader.index())];
    if (known.finish_told) continue;
    // A poll may take a record and the end behind it at once: that end has not been confirmed yet.
    const bool caught_up = reader.at_end() && degraded_reason_.empty() &&
                           known.end_confirmed_at == reader.next_position();
    if (!caught_up) known.end_confirmed_at.reset();
    SplitProgress progress{
        .split_index = reader.index(), .finished = reader.finished(), .caught_up = caught_up};
    if (tell_lag || progress.finished) progress.lag = reader.Lag(client_->handle());
    if (caught_up) progress.lag = 0;
    if (progress.finished || tell_lag || caught_up != known.caught_up_told) {
      out.progress.push_back(progress);
    }
    known.finish_told = progress.finished;
    known.caught_up_told = caught_up;
  }
  out.finished = options_.bounded_mode != KafkaBoundedMode::kUnbounded && AllFinished();
  out.degraded_reason = degraded_reason_;
}

void KafkaSource::OnCheckpointComplete(std::span<const SplitPosition> positions) {
  if (client_ == nullptr || !commits_offsets()) return;
  KafkaPartitionList offsets = NewPartitionList(positions.size());
  for (const SplitPosition& position : positions) {
    const auto reader =
        std::find_if(readers_.begin(), readers_.end(), [&](const PartitionReader& candidate) {
          return candidate.split().id == position.split_id;
        });
    if (reader == readers_.end()) continue;
    rd_kafka_topic_partition_list_add(offsets.get(), reader->split().topic.c_str(),
                                      reader->split().partition)
        ->offset = position.next_position;
  }
  if (offsets->cnt > 0) rd_kafka_commit(client_->handle(), offsets.get(), 1);
}

}  // namespace

Result<std::unique_ptr<Source>> MakeKafkaSource(const OptionMap& options,
                                                const ConnectorContext& context) {
  WS_ASSIGN_OR_RETURN(KafkaSourceOptions parsed, ParseKafkaSourceOptions(options));
  return std::make_unique<KafkaSource>(std::move(parsed), context);
}

}  // namespace watershed
