#include "runtime/process/event_loop.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "runtime/process/worker_pool.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;

TEST(EventLoopTest, RunsInTheOrderPosted) {
  EventLoop loop("test");
  std::vector<int> seen;
  for (int i = 0; i < 1000; ++i) loop.Post([&seen, i] { seen.push_back(i); });
  ASSERT_TRUE(loop.RunAndWait([&] { EXPECT_TRUE(loop.InLoop()); }));
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(seen[static_cast<size_t>(i)], i);
  EXPECT_FALSE(loop.InLoop());
}

TEST(EventLoopTest, TimersFireInOrderOfTheirTimeAndCancelledOnesDoNot) {
  EventLoop loop("test");
  std::vector<int> seen;
  std::promise<void> done;
  loop.RunAndWait([&] {
    loop.PostAfter(milliseconds(20), [&] {
      seen.push_back(20);
      done.set_value();
    });
    const auto cancelled = loop.PostAfter(milliseconds(10), [&] { seen.push_back(10); });
    loop.PostAfter(milliseconds(5), [&] { seen.push_back(5); });
    loop.PostAfter(milliseconds(0), [&] { seen.push_back(0); });
    loop.CancelTimer(cancelled);
    loop.CancelTimer(cancelled);
    loop.CancelTimer(12345);
  });
  done.get_future().wait();
  loop.RunAndWait([&] { EXPECT_EQ(seen, (std::vector<int>{0, 5, 20})); });
}

TEST(EventLoopTest, AfterStopNothingRunsAndNobodyWaits) {
  EventLoop loop("test");
  std::promise<void> entered;
  std::promise<void> release;
  loop.Post([&] {
    entered.set_value();
    release.get_future().wait();
  });
  entered.get_future().wait();
  bool ran = false;
  loop.PostAfter(milliseconds(0), [&] { ran = true; });
  std::future<bool> waiting = std::async(std::launch::async, [&] {
    return loop.RunAndWait([&] { ran = true; });  // queued behind the one that is stuck
  });
  std::thread stopping([&] { loop.Stop(); });
  // Stop has begun once a post is refused: only then may the first task end.
  while (loop.PostAfter(milliseconds(0), [] {}) != 0) std::this_thread::yield();
  release.set_value();
  stopping.join();
  EXPECT_FALSE(waiting.get());
  EXPECT_FALSE(loop.RunAndWait([&] { ran = true; }));
  EXPECT_FALSE(ran);
}

TEST(EventLoopTest, WhatIsDroppedMayPostWhileItDies) {
  EventLoop loop("test");
  struct PostsWhenItDies {
    EventLoop* loop;
    ~PostsWhenItDies() {
      loop->Post([] {});
    }
  };
  loop.PostAfter(std::chrono::hours(1), [owner = std::make_shared<PostsWhenItDies>(&loop)] {});
  loop.Stop();
}

TEST(WorkerPoolTest, RunsAsManyAtOnceAsItHasThreadsAndQueuesTheRest) {
  WorkerPool pool("test", 2);
  std::promise<void> first_in;
  std::promise<void> second_in;
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::promise<void> third_in;
  pool.Run([&] {
    first_in.set_value();
    released.wait();
  });
  pool.Run([&] {
    second_in.set_value();
    released.wait();
  });
  pool.Run([&] { third_in.set_value(); });
  first_in.get_future().wait();
  second_in.get_future().wait();  // at the same time as the first
  std::future<void> third = third_in.get_future();
  EXPECT_EQ(third.wait_for(milliseconds(0)), std::future_status::timeout);
  release.set_value();
  third.wait();
  pool.Stop();
  bool ran = false;
  pool.Run([&] { ran = true; });
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace watershed
