// One thread that runs a sink's commits, so that the task goes on meanwhile.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

namespace watershed {

// Work runs in the order it was given. Run and Stop: the owner's thread.
class CommitThread {
 public:
  CommitThread();
  ~CommitThread() { Stop(std::chrono::seconds(1)); }
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;

  // `work` owns what it touches: it may outlive this object (see Stop).
  void Run(std::function<void()> work);
  // Drops work not begun and waits up to `grace` for what is under way; true if it came to its end.
  // Otherwise the thread is left to itself: a call into a client library cannot be interrupted, and
  // a cancel must not hang on it.
  bool Stop(std::chrono::milliseconds grace);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace watershed
