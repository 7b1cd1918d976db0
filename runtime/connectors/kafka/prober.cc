#include "runtime/connectors/kafka/prober.h"

#include <algorithm>
#include <utility>

namespace watershed {
namespace {
constexpr int kTimeoutMs = 1000;
}

PartitionProber::PartitionProber(rd_kafka_t* client)
    : client_(client), thread_([this] { Run(); }) {}

PartitionProber::~PartitionProber() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void PartitionProber::Ask(PartitionProbe probe) {
  {
    const std::scoped_lock lock(mutex_);
    const bool asked = std::any_of(
        questions_.begin(), questions_.end(),
        [&](const PartitionProbe& other) { return other.split_index == probe.split_index; });
    if (asked) return;
    questions_.push_back(std::move(probe));
  }
  wake_.notify_one();
}

void PartitionProber::TakeAnswers(std::vector<ProbeAnswer>& answers) {
  answers.clear();
  const std::scoped_lock lock(mutex_);
  answers.swap(answers_);
}

bool PartitionProber::idle() const {
  const std::scoped_lock lock(mutex_);
  return questions_.empty();
}

void PartitionProber::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
    if (stopping_) return;
    const PartitionProbe probe = questions_.front();
    lock.unlock();
    ProbeAnswer answer{.split_index = probe.split_index};
    answer.error =
        rd_kafka_query_watermark_offsets(client_, probe.topic.c_str(), probe.partition,
                                         &answer.low_offset, &answer.end_offset, kTimeoutMs);
    lock.lock();
    questions_.erase(questions_.begin());
    answers_.push_back(answer);
  }
}

}  // namespace watershed
