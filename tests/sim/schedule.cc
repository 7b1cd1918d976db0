#include "tests/sim/schedule.h"

#include <algorithm>
#include <utility>

namespace watershed::sim {
namespace {

uint64_t Scrambled(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

uint64_t Random::Next() { return Scrambled(state_ += 0x9E3779B97F4A7C15u); }

void Schedule::After(nanoseconds delay, std::function<void()> event) {
  heap_.push_back({now_ + std::max(delay, nanoseconds(0)), ++numbers_, std::move(event)});
  std::push_heap(heap_.begin(), heap_.end());
}

bool Schedule::RunNext() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end());
  const Event event = std::move(heap_.back());
  heap_.pop_back();
  now_ = event.at;
  ++events_;
  Mix(static_cast<uint64_t>(now_.count()));
  event.run();
  return true;
}

int64_t Schedule::BeginMs() { return 1'700'000'000'000; }  // 2023-11-14

int64_t Schedule::NowMs() const {
  return BeginMs() + std::chrono::duration_cast<milliseconds>(now_).count();
}

void Schedule::Mix(uint64_t value) { trace_ = Scrambled(trace_ + 0x9E3779B97F4A7C15u + value); }

void Schedule::Trace(std::string_view what, uint64_t value) {
  for (const char c : what) Mix(static_cast<uint8_t>(c));
  Mix(value);
}

}  // namespace watershed::sim
