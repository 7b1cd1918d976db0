#include "runtime/engine/sink_calls.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "runtime/metrics/names.h"
#include "runtime/storage/stored_bytes.h"
#include "runtime/types/kill_point.h"

namespace watershed {
namespace {

template <typename Call>
auto CatchAll(std::string_view what, Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::exception& e) {
    return InternalError("{} threw: {}", what, e.what());
  }
}

// Read when the sink asks for it, so that no more than one segment is in memory.
SinkPayload StoredPayload(const std::shared_ptr<ObjectStorage>& storage, const StoredFile& file) {
  return {file.size_bytes, [storage, file] { return ReadStored(*storage, file); }};
}

KnownProgress ProgressOf(const WriterId& writer, const SinkTakeover& takeover) {
  KnownProgress known;
  for (const WriterMarker& former : takeover.writers) {
    if (former.writer.writer != writer.writer) continue;
    known.confirmed = former.last_committed_epoch;
    known.had_marker = former.is_kept;
  }
  for (const SinkTakeover::Segment& left : takeover.segments) {
    if (left.segment.writer == writer.writer) known.listed.push_back(left.segment.epoch);
  }
  return known;
}

// The marker that the target has, or what a former attempt heard of it.
void Raise(const WriterMarker& marker, std::vector<WriterMarker>& writers) {
  for (WriterMarker& known : writers) {
    if (known.writer.writer != marker.writer.writer) continue;
    known.last_committed_epoch = std::max(known.last_committed_epoch, marker.last_committed_epoch);
  }
}

}  // namespace

SinkCalls::SinkCalls(std::unique_ptr<Sink> sink, Parameters parameters)
    : parameters_(std::move(parameters)),
      target_(std::make_shared<Target>(Target{parameters_.metrics, std::move(sink)})),
      backoff_(std::hash<std::string>{}(parameters_.writer.lineage) +
               static_cast<uint64_t>(parameters_.writer.writer)) {
  MetricGroup& metrics = *parameters_.metrics;
  send_errors_ = &metrics.counter(metric_names::kRecordsSendErrors);
  commits_ = &metrics.counter(metric_names::kSinkCommits);
  retries_ = &metrics.counter(metric_names::kSinkRetries);
  committed_records_ = &metrics.counter(metric_names::kSinkCommittedRecords);
}

// Those above their writers' markers, which are what the sink commits.
void SinkCalls::CountRecovered(std::span<const SinkSegment> segments, Opened& opened) {
  while (!segments.empty()) {
    const std::span<const SinkSegment> epoch = FirstEpoch(segments);
    segments = segments.subspan(epoch.size());
    const bool is_there =
        std::any_of(opened.writers.begin(), opened.writers.end(), [&](const WriterMarker& marker) {
          return marker.writer.writer == epoch.front().writer &&
                 marker.last_committed_epoch >= epoch.front().epoch;
        });
    if (is_there) continue;
    ++opened.epochs;
    for (const SinkSegment& segment : epoch) opened.rows += segment.rows;
  }
}

Result<SinkCalls::Opened> SinkCalls::Target::Open(const WriterId& own, Attempt attempt,
                                                  const SinkTakeover& takeover) {
  Opened result{.writers = {{own, {-1}}}};
  std::vector<WriterMarker>& writers = result.writers;
  for (const WriterMarker& former : takeover.writers) {
    if (former.writer.writer != own.writer) writers.push_back(former);
    Raise(former, writers);
  }
  Pass(KillPoint::kRecoveryOpens);
  if (!opened) WS_RETURN_IF_ERROR(sink->Open());
  opened = true;
  std::vector<WriterId> ids;
  ids.reserve(writers.size());
  for (const WriterMarker& writer : writers) ids.push_back(writer.writer);
  WS_ASSIGN_OR_RETURN(const auto markers, sink->Fence(ids, attempt));
  Pass(KillPoint::kRecoveryHasFenced);
  for (const WriterMarker& marker : markers) {
    if (sink->keeps_markers() && takeover.rules) {
      WS_RETURN_IF_ERROR(CheckMarker(marker, ProgressOf(marker.writer, takeover), *takeover.rules));
    }
    Raise(marker, writers);
  }
  std::vector<SinkSegment> segments;
  for (const SinkTakeover::Segment& left : takeover.segments) {
    segments.push_back(left.segment);
    if (left.file.name.empty()) continue;
    segments.back().payload = StoredPayload(takeover.storage, left.file);
  }
  WS_RETURN_IF_ERROR(sink->Recover(segments));
  Pass(KillPoint::kRecoveryIsDone);
  CountRecovered(segments, result);
  for (const SinkSegment& segment : segments) {
    WriterMarker marker{own, segment.epoch};
    marker.writer.writer = segment.writer;
    Raise(marker, writers);
  }
  return result;
}

Result<Progress> SinkCalls::Open() {
  if (!opened_) {
    if (!opening_) StartOpen();
    return Progress::kYield;
  }
  Result<Opened> opened = std::move(*opened_);
  opened_.reset();
  if (!opened) return tl::make_unexpected(Located(std::move(opened).error()));
  writers_ = std::move(opened->writers);
  commits_->Add(opened->epochs);
  committed_records_->Add(opened->rows);
  parameters_.takeover = {};
  return Progress::kDone;
}

void SinkCalls::StartOpen() {
  opening_ = true;
  parameters_.runner->Run([this, target = target_, mailbox = parameters_.mailbox,
                           writer = parameters_.writer, attempt = parameters_.attempt,
                           takeover = parameters_.takeover] {
    auto opened = CatchAll("opening", [&] { return target->Open(writer, attempt, takeover); });
    // The mailbox is closed before this object goes, so mail never meets a dead one.
    mailbox->Post([this, opened = std::move(opened)] {
      opening_ = false;
      opened_ = opened;
      return Ok();
    });
  });
}

void SinkCalls::Commit(std::shared_ptr<const SinkEpoch> epoch, std::function<Status()> done) {
  committing_ = std::move(epoch);
  on_committed_ = std::move(done);
  StartCommit();
}

void SinkCalls::StartCommit() {
  // A copy of what the payloads are now: the task may move them out of memory meanwhile.
  const auto epoch = std::make_shared<const SinkEpoch>(*committing_);
  parameters_.runner->Run([this, target = target_, epoch, mailbox = parameters_.mailbox] {
    Pass(KillPoint::kCommitBegins);
    Status status =
        CatchAll("commit", [&] { return target->sink->Commit(epoch->id, epoch->segments); });
    Pass(KillPoint::kCommitIsDone);
    mailbox->Post([this, status = std::move(status)] { return OnCommitted(status); });
  });
}

Status SinkCalls::OnCommitted(const Status& status) {
  if (!status) {
    send_errors_->Add(committing_->rows);
    if (!status.error().retryable) return tl::make_unexpected(Located(status.error()));
    OnRetryableError(status.error());
    return Ok();
  }
  commits_->Add(1);
  committing_.reset();
  backoff_.Reset();
  degraded_reason_.clear();
  return std::exchange(on_committed_, nullptr)();
}

void SinkCalls::OnRetryableError(const Error& error) {
  retries_->Add(1);
  const auto delay = backoff_.Next();
  degraded_reason_ =
      fmt::format("{}; asking again in {} ms", Located(error).message, delay.count());
  parameters_.mailbox->AddTimer(parameters_.clock->Steady() + delay, [this] {
    StartCommit();
    return Ok();
  });
}

void SinkCalls::Close() {
  if (!target_) return;
  if (parameters_.runner->Stop(parameters_.cancel_grace)) {
    target_->sink->Close();
  } else {
    // A call that is left behind keeps the sink, whose destructor closes what Close would have, and
    // its metrics, which the registry must not wait for.
    target_->metrics->LeaveRegistry();
  }
  target_.reset();
}

}  // namespace watershed
