#include "runtime/rpc/pending_calls.h"

namespace watershed {

bool PendingCalls::Add(grpc::ClientContext* context) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  contexts_.insert(context);
  return true;
}

void PendingCalls::Remove(grpc::ClientContext* context) {
  const std::lock_guard lock(mutex_);
  contexts_.erase(context);
  if (contexts_.empty()) empty_.notify_all();
}

void PendingCalls::CancelAndWait() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  for (grpc::ClientContext* context : contexts_) context->TryCancel();
  empty_.wait(lock, [this] { return contexts_.empty(); });
}

}  // namespace watershed
