#include "runtime/rpc/pending_calls.h"

namespace watershed {

bool PendingCalls::Add(grpc::ClientContext* context) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  contexts_.insert(context);
  ++under_way_;
  return true;
}

void PendingCalls::Forget(grpc::ClientContext* context) {
  const std::lock_guard lock(mutex_);
  contexts_.erase(context);
}

void PendingCalls::Done() {
  const std::lock_guard lock(mutex_);
  if (--under_way_ == 0) none_left_.notify_all();
}

void PendingCalls::CancelAndWait() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  for (grpc::ClientContext* context : contexts_) context->TryCancel();
  none_left_.wait(lock, [this] { return under_way_ == 0; });
}

}  // namespace watershed
