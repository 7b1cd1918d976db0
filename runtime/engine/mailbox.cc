#include "runtime/engine/mailbox.h"

#include <algorithm>

namespace watershed {

void Mailbox::Post(Mail mail) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    mail_.push_back(std::move(mail));
    notified_ = true;
  }
  wake_.notify_one();
}

void Mailbox::Notify() {
  {
    std::lock_guard lock(mutex_);
    if (notified_) return;
    notified_ = true;
  }
  wake_.notify_one();
}

Status Mailbox::RunAll() {
  // A timer that a timer adds for now waits for the next round, so that a round always ends.
  const TimerId due{timers_.empty() ? SteadyTime{} : clock_->Steady(), last_timer_};
  while (!timers_.empty() && timers_.begin()->first <= due) {
    Mail mail = std::move(timers_.extract(timers_.begin()).mapped());
    WS_RETURN_IF_ERROR(mail());
  }
  std::deque<Mail> ready;
  {
    std::lock_guard lock(mutex_);
    ready.swap(mail_);
  }
  for (Mail& mail : ready) WS_RETURN_IF_ERROR(mail());
  return Ok();
}

Mailbox::TimerId Mailbox::AddTimer(SteadyTime at, Mail mail) {
  const TimerId id{at, ++last_timer_};
  timers_.emplace(id, std::move(mail));
  return id;
}

std::optional<Mailbox::SteadyTime> Mailbox::next_timer() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first.first;
}

void Mailbox::Wait(std::optional<SteadyTime> deadline) {
  if (const auto timer = next_timer()) deadline = deadline ? std::min(*deadline, *timer) : *timer;
  std::unique_lock lock(mutex_);
  const auto woken = [this] { return notified_; };
  if (deadline) {
    const auto left = *deadline - clock_->Steady();
    if (left > SteadyTime::zero()) wake_.wait_for(lock, left, woken);
  } else {
    wake_.wait(lock, woken);
  }
  notified_ = false;
}

void Mailbox::Close() {
  timers_.clear();
  std::deque<Mail> dropped;  // destroyed outside the lock: mail may own anything
  std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(mail_);
}

}  // namespace watershed
