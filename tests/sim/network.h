// The network between processes: calls and streams that take their time, overtake each other
// between different peers, come late or never, and break.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/types/result.h"
#include "taskmanager/network/receiver_registry.h"
#include "taskmanager/network/sending_stream.h"
#include "tests/sim/process.h"

namespace watershed::sim {

using ProcessPtr = std::shared_ptr<Process>;
class Stream;

// What a TaskManager that is listened to offers to streams.
struct StreamEndpoint {
  ProcessPtr process;
  std::shared_ptr<const NetworkContext> context;
  std::shared_ptr<ReceiverRegistry> receivers;
};

enum class CallKind : uint8_t { kCall, kHeartbeat };
struct CallOptions {
  CallKind kind = CallKind::kCall;
  milliseconds deadline{2000};  // on the caller's clock
};

class Network {
 public:
  explicit Network(Schedule* schedule) : schedule_(schedule) {}

  // How often, in thousandths, a message of a call comes late, by up to this, or never.
  int late = 0;
  nanoseconds latest{0};
  // Not those of heartbeats.
  bool spares_heartbeats = false;
  // How often a way from one process to another is slow, in thousandths.
  int slow_ways = 0;

  // A call of `caller` to whoever listens under that name. `serve` runs there and is given what
  // answers;
  // `done` runs at the caller, once, with an error that may be tried again when nobody answered in
  // time.
  template <typename Response>
  void Call(const ProcessPtr& caller, const std::string& target,
            std::function<void(const ProcessPtr&, std::function<void(Result<Response>)>)> serve,
            std::function<void(Result<Response>)> done, CallOptions options = {});
  // A call that stays open: `ended` runs once at each end when the other process or what is between
  // them is gone. `opened` runs at the target first.
  using AtTarget = std::function<void(const ProcessPtr&)>;
  void Attach(const ProcessPtr& caller, const std::string& target, AtTarget opened,
              std::function<void()> caller_ended, AtTarget target_ended);
  // By the caller.
  void Detach(const ProcessPtr& caller);

  int64_t messages_lost() const { return messages_lost_; }
  int64_t messages_late() const { return messages_late_; }

  // A SendingStreamFactory for a TaskManager.
  SendingStreamFactory StreamsOf(const ProcessPtr& sender);

  // The last one of a name is found under it.
  void Listen(const ProcessPtr& process) { processes_[process->name()] = process; }
  void Listen(StreamEndpoint endpoint) {
    endpoints_[endpoint.process->name()] = std::move(endpoint);
  }

  // For streams: what arrives in order, `last` being when the message before did.
  void Carry(const std::string& from, const std::string& to, nanoseconds& last,
             std::function<void()> arrive);
  // Who listens under that name; nullptr: nobody.
  const StreamEndpoint* FindEndpoint(const std::string& name) const;

  // Faults. A process is gone: everybody connected to it is told, sooner or later.
  void OnKilled(const ProcessPtr& process);
  // What is open between the two breaks, calls fail; new ones are possible at once.
  void Cut(const std::string& one, const std::string& other);
  // For a time nothing gets through between the two, and nobody is told. It comes afterwards.
  void Silence(const std::string& one, const std::string& other, nanoseconds duration);

 private:
  struct Pending {
    std::string from, to;
    ProcessPtr caller;
    std::function<void(const Error&)> fail;
    bool lost = false;  // what is under way of it
    CallKind kind = CallKind::kCall;
  };
  struct Attachment {
    std::string from, to;
    ProcessPtr caller, target;
    std::function<void()> caller_ended;
    AtTarget target_ended;
  };
  ProcessPtr Find(const std::string& name) const;
  // Until when nothing gets through; not in the future when something does.
  nanoseconds SilentUntil(const std::string& one, const std::string& other) const;
  nanoseconds Latency();
  nanoseconds LatencyOf(const std::string& from, const std::string& to);
  // One message of a call.
  void Deliver(const std::shared_ptr<Pending>& call, std::function<void()> arrive);
  void Track(const std::shared_ptr<Pending>& call, nanoseconds deadline);
  void EndAttachments(const std::function<bool(const Attachment&)>& which);

  Schedule* const schedule_;
  int64_t messages_lost_ = 0;
  int64_t messages_late_ = 0;
  std::map<std::string, std::weak_ptr<Process>> processes_;
  std::map<std::string, StreamEndpoint> endpoints_;
  std::vector<std::weak_ptr<Pending>> calls_;
  std::vector<Attachment> attachments_;
  std::vector<std::weak_ptr<Stream>> streams_;
  std::map<std::pair<std::string, std::string>, nanoseconds> silent_until_;
  std::map<std::pair<std::string, std::string>, int64_t> slowness_;
};

template <typename Response>
void Network::Call(
    const ProcessPtr& caller, const std::string& target,
    std::function<void(const ProcessPtr&, std::function<void(Result<Response>)>)> serve,
    std::function<void(Result<Response>)> done, CallOptions options) {
  const auto answered = std::make_shared<bool>(false);
  const auto answer = [answered, done = std::move(done)](const Result<Response>& response) {
    if (!std::exchange(*answered, true)) done(response);
  };
  auto call = std::make_shared<Pending>(
      Pending{caller->name(), target, caller, nullptr, false, options.kind});
  call->fail = [answer](const Error& error) {
    answer(Result<Response>(tl::make_unexpected(error)));
  };
  const auto reply = [this, call, answer](const Result<Response>& response) {
    Deliver(call, [call, answer, response] {
      call->caller->After(nanoseconds(0), [answer, response] { answer(response); });
    });
  };
  Deliver(call, [this, call, serve = std::move(serve), reply] {
    const ProcessPtr to = Find(call->to);
    if (to != nullptr) {
      return to->After(nanoseconds(0),
                       [to = to.get(), serve, reply] { serve(to->shared_from_this(), reply); });
    }
    call->caller->After(Latency(), [call] {
      call->fail({ErrorDomain::kExternal, true, call->to + " cannot be reached"});
    });
  });
  Track(call, options.deadline);
}

}  // namespace watershed::sim
