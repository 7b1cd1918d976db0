#include "runtime/connectors/kafka/prober.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace watershed {
namespace {
constexpr int kTimeoutMs = 1000;
}

PartitionProber::PartitionProber(std::shared_ptr<KafkaClient> client)
    : state_(std::make_shared<State>()) {
  std::thread(Run, state_, std::move(client)).detach();
}

PartitionProber::~PartitionProber() {
  const std::scoped_lock lock(state_->mutex);
  state_->stopping = true;
  state_->wake.notify_one();
}

void PartitionProber::Ask(PartitionProbe probe) {
  const std::scoped_lock lock(state_->mutex);
  const bool asked = std::any_of(
      state_->questions.begin(), state_->questions.end(),
      [&](const PartitionProbe& other) { return other.split_index == probe.split_index; });
  if (asked) return;
  state_->questions.push_back(std::move(probe));
  state_->wake.notify_one();
}

void PartitionProber::TakeAnswers(std::vector<ProbeAnswer>& answers) {
  answers.clear();
  const std::scoped_lock lock(state_->mutex);
  answers.swap(state_->answers);
}

bool PartitionProber::idle() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->questions.empty();
}

void PartitionProber::Run(std::shared_ptr<State> state, std::shared_ptr<KafkaClient> client) {
  std::unique_lock lock(state->mutex);
  while (true) {
    state->wake.wait(lock, [&] { return state->stopping || !state->questions.empty(); });
    if (state->stopping) return;
    const PartitionProbe probe = state->questions.front();
    lock.unlock();
    ProbeAnswer answer{.split_index = probe.split_index};
    answer.error =
        rd_kafka_query_watermark_offsets(client->handle(), probe.topic.c_str(), probe.partition,
                                         &answer.low_offset, &answer.end_offset, kTimeoutMs);
    lock.lock();
    state->questions.erase(state->questions.begin());
    state->answers.push_back(answer);
  }
}

}  // namespace watershed
