// The asynchronous calls that a client has under way, so that its owner can wait for their ends.
#pragma once

#include <grpcpp/client_context.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

namespace watershed {

// Thread-safe. Shared by whoever starts calls.
class PendingCalls {
 public:
  // False when calls are no longer to be started; otherwise Remove has to follow once the call's
  // callback has done its work.
  bool Add(grpc::ClientContext* context);
  void Remove(grpc::ClientContext* context);
  // Cancels what is under way, refuses what comes, and returns when the last callback has run.
  void CancelAndWait();

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  std::set<grpc::ClientContext*> contexts_;
  bool closed_ = false;
};

}  // namespace watershed
