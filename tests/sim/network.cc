#include "tests/sim/network.h"

#include <algorithm>

#include "tests/sim/stream.h"

namespace watershed::sim {
namespace {

constexpr microseconds kShortestLatency{20};
constexpr microseconds kLongestLatency{400};
constexpr int kLostOfLate = 300;  // in thousandths

std::pair<std::string, std::string> Pair(const std::string& one, const std::string& other) {
  return std::minmax(one, other);
}

bool Joins(const std::string& from, const std::string& to, const std::string& one,
           const std::string& other) {
  return (from == one && to == other) || (from == other && to == one);
}

}  // namespace

ProcessPtr Network::Find(const std::string& name) const {
  const auto found = processes_.find(name);
  const ProcessPtr process = found == processes_.end() ? nullptr : found->second.lock();
  return process != nullptr && process->alive() ? process : nullptr;
}

nanoseconds Network::SilentUntil(const std::string& one, const std::string& other) const {
  const auto found = silent_until_.find(Pair(one, other));
  return found == silent_until_.end() ? nanoseconds(0) : found->second;
}

nanoseconds Network::Latency() {
  return schedule_->random().Between(kShortestLatency, kLongestLatency);
}

// Some ways are always slow, in one direction.
nanoseconds Network::LatencyOf(const std::string& from, const std::string& to) {
  const auto [found, is_new] = slowness_.try_emplace({from, to}, 1);
  if (is_new && schedule_->random().Chance(slow_ways)) {
    found->second = schedule_->random().Between(10, 100);
  }
  return found->second * Latency();
}

void Network::Deliver(const std::shared_ptr<Pending>& call, std::function<void()> arrive) {
  nanoseconds delay = LatencyOf(call->from, call->to);
  const bool is_spared = spares_heartbeats && call->kind == CallKind::kHeartbeat;
  if (!is_spared && schedule_->random().Chance(late)) {
    if (schedule_->random().Chance(kLostOfLate)) {
      ++messages_lost_;
      return;
    }
    ++messages_late_;
    delay += schedule_->random().Between({}, latest);
  }
  delay = std::max(delay, SilentUntil(call->from, call->to) - schedule_->Steady());
  schedule_->After(delay, [call, arrive = std::move(arrive)] {
    if (!call->lost) arrive();
  });
}

void Network::Track(const std::shared_ptr<Pending>& call, nanoseconds deadline) {
  call->caller->AfterOnItsClock(deadline, [call] {
    call->fail({ErrorDomain::kExternal, true, "no answer from " + call->to + " in time"});
  });
  std::erase_if(calls_, [](const auto& weak) { return weak.expired(); });
  calls_.push_back(call);
}

void Network::Attach(const ProcessPtr& caller, const std::string& target, AtTarget opened,
                     std::function<void()> caller_ended, AtTarget target_ended) {
  schedule_->After(Latency(), [=, this] {
    const ProcessPtr to = Find(target);
    if (to == nullptr || !caller->alive()) return caller->After(Latency(), caller_ended);
    attachments_.push_back({caller->name(), target, caller, to, caller_ended, target_ended});
    to->After(nanoseconds(0), [to = to.get(), opened] { opened(to->shared_from_this()); });
  });
}

void Network::EndAttachments(const std::function<bool(const Attachment&)>& which) {
  const auto kept = std::stable_partition(attachments_.begin(), attachments_.end(),
                                          [&](const Attachment& a) { return !which(a); });
  const std::vector<Attachment> ended(std::make_move_iterator(kept),
                                      std::make_move_iterator(attachments_.end()));
  attachments_.erase(kept, attachments_.end());
  for (const Attachment& attachment : ended) {
    attachment.caller->After(Latency(), attachment.caller_ended);
    attachment.target->After(Latency(),
                             [to = attachment.target.get(), ended = attachment.target_ended] {
                               ended(to->shared_from_this());
                             });
  }
}

void Network::Detach(const ProcessPtr& caller) {
  EndAttachments([&](const Attachment& a) { return a.caller == caller; });
}

void Network::OnKilled(const ProcessPtr& process) {
  EndAttachments([&](const Attachment& a) { return a.caller == process || a.target == process; });
  const auto listens = processes_.find(process->name());
  const bool is_last = listens != processes_.end() && listens->second.lock() == process;
  for (const auto& weak : calls_) {
    const auto call = weak.lock();
    if (call == nullptr || call->to != process->name() || !is_last) continue;
    call->caller->After(Latency(), [call] {
      call->fail({ErrorDomain::kExternal, true, "the connection to " + call->to + " broke"});
    });
  }
  for (const auto& weak : streams_) {
    const auto stream = weak.lock();
    if (stream == nullptr) continue;
    if (stream->from() == process->name() || stream->to() == process->name()) stream->Break();
  }
  if (is_last) endpoints_.erase(process->name());
}

void Network::Cut(const std::string& one, const std::string& other) {
  EndAttachments([&](const Attachment& a) { return Joins(a.from, a.to, one, other); });
  for (const auto& weak : calls_) {
    const auto call = weak.lock();
    if (call == nullptr || !Joins(call->from, call->to, one, other)) continue;
    call->lost = schedule_->random().Chance(500);
    call->caller->After(Latency(), [call] {
      call->fail({ErrorDomain::kExternal, true, "the connection to " + call->to + " was cut"});
    });
  }
  for (const auto& weak : streams_) {
    const auto stream = weak.lock();
    if (stream != nullptr && Joins(stream->from(), stream->to(), one, other)) stream->Break();
  }
}

void Network::Silence(const std::string& one, const std::string& other, nanoseconds duration) {
  silent_until_[Pair(one, other)] = schedule_->Steady() + duration;
}

void Network::Carry(const std::string& from, const std::string& to, nanoseconds& last,
                    std::function<void()> arrive) {
  // In order: none before the last.
  const nanoseconds now = schedule_->Steady();
  last = std::max({now + LatencyOf(from, to), SilentUntil(from, to), last});
  schedule_->After(last - now, std::move(arrive));
}

const StreamEndpoint* Network::FindEndpoint(const std::string& name) const {
  const auto found = endpoints_.find(name);
  return found == endpoints_.end() || !found->second.process->alive() ? nullptr : &found->second;
}

SendingStreamFactory Network::StreamsOf(const ProcessPtr& sender) {
  return
      [this, sender](const std::string& peer_id, const std::string& address,
                     std::shared_ptr<const NetworkContext> context, std::function<void()> on_done) {
        auto stream = std::make_shared<Stream>(this, sender, peer_id, address, std::move(context),
                                               std::move(on_done));
        std::erase_if(streams_, [](const auto& weak) { return weak.expired(); });
        streams_.push_back(stream);
        return stream;
      };
}

}  // namespace watershed::sim
