// The asynchronous calls that a client has under way, so that its owner can wait for their ends.
#pragma once

#include <grpcpp/client_context.h>

#include <condition_variable>
#include <mutex>
#include <set>

namespace watershed {

// Thread-safe. Shared by whoever starts calls.
//
// A call's context refers to its channel, and gRPC 1.51 must not lose the last channel or server of
// a process on one of its callback threads (the thread would join itself). So a call is Forgotten,
// then its context is destroyed, and only then is it Done: whoever has waited holds the last
// reference.
class PendingCalls {
 public:
  // False when calls are no longer to be started.
  bool Add(grpc::ClientContext* context);
  // The context will not be cancelled any more and may be destroyed.
  void Forget(grpc::ClientContext* context);
  // The call's callback has done its work, and its context is gone.
  void Done();
  // Cancels what is under way, refuses what comes, and returns when the last call is done.
  void CancelAndWait();

 private:
  std::mutex mutex_;
  std::condition_variable none_left_;
  std::set<grpc::ClientContext*> contexts_;
  int under_way_ = 0;
  bool closed_ = false;
};

}  // namespace watershed
