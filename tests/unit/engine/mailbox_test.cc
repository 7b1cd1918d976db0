#include "runtime/engine/mailbox.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/engine/manual_clock.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;

TEST(Mailbox, RunsMailInOrder) {
  Mailbox mailbox(&SystemClock());
  std::string ran;
  for (const char c : {'a', 'b', 'c'}) {
    mailbox.Post([&ran, c] {
      ran += c;
      return Ok();
    });
  }
  ASSERT_TRUE(mailbox.RunAll());
  EXPECT_EQ(ran, "abc");
  ASSERT_TRUE(mailbox.RunAll());
  EXPECT_EQ(ran, "abc");
}

TEST(Mailbox, AnErrorEndsTheRound) {
  Mailbox mailbox(&SystemClock());
  mailbox.Post([] { return Status(InternalError("broken")); });
  const Status status = mailbox.RunAll();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "broken");
}

TEST(Mailbox, RunsTimersWhenDueAndInOrderOfTime) {
  ManualClock clock;
  Mailbox mailbox(&clock);
  std::string ran;
  const auto add = [&](char c, int ms) {
    return mailbox.AddTimer(clock.Steady() + milliseconds(ms), [&ran, c] {
      ran += c;
      return Ok();
    });
  };
  add('b', 20);
  add('a', 10);
  const auto cancelled = add('x', 15);
  mailbox.CancelTimer(cancelled);
  ASSERT_TRUE(mailbox.RunAll());
  EXPECT_EQ(ran, "");
  clock.Advance(milliseconds(10));
  ASSERT_TRUE(mailbox.RunAll());
  EXPECT_EQ(ran, "a");
  clock.Advance(milliseconds(10));
  ASSERT_TRUE(mailbox.RunAll());
  EXPECT_EQ(ran, "ab");
  EXPECT_FALSE(mailbox.next_timer().has_value());
}

TEST(Mailbox, ATimerThatAddsADueTimerDoesNotTrapTheRound) {
  ManualClock clock;
  Mailbox mailbox(&clock);
  int ran = 0;
  std::function<Status()> again = [&] {
    ++ran;
    mailbox.AddTimer(clock.Steady(), again);
    return Ok();
  };
  mailbox.AddTimer(clock.Steady(), again);
  ASSERT_TRUE(mailbox.RunAll());
  EXPECT_EQ(ran, 1);
  ASSERT_TRUE(mailbox.RunAll());
  EXPECT_EQ(ran, 2);
}

TEST(Mailbox, WaitReturnsWhenAnotherThreadPosts) {
  Mailbox mailbox(&SystemClock());
  std::thread other([&] { mailbox.Post([] { return Ok(); }); });
  mailbox.Wait();  // for ever, were the post lost
  other.join();
}

TEST(Mailbox, ANotifyBeforeTheWaitIsNotLost) {
  Mailbox mailbox(&SystemClock());
  mailbox.Notify();
  mailbox.Wait();
}

TEST(Mailbox, WaitReturnsAtOnceWhenATimerIsDue) {
  ManualClock clock;
  Mailbox mailbox(&clock);
  mailbox.AddTimer(clock.Steady() - milliseconds(1), [] { return Ok(); });
  mailbox.Wait();
}

TEST(Mailbox, DropsMailOnceClosed) {
  Mailbox mailbox(&SystemClock());
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = owned;
  mailbox.Post([owned] { return Ok(); });
  owned.reset();
  EXPECT_FALSE(watch.expired());
  mailbox.Close();
  EXPECT_TRUE(watch.expired());
  bool ran = false;
  mailbox.Post([&ran] {
    ran = true;
    return Ok();
  });
  ASSERT_TRUE(mailbox.RunAll());
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace watershed
