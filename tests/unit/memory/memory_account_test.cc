#include "runtime/memory/memory_account.h"

#include <gtest/gtest.h>

#include <memory>

namespace watershed {
namespace {

MemoryLimits Limits() {
  MemoryLimits limits;
  limits.shares_bytes.fill(1000);
  return limits;
}

TEST(MemoryAccountTest, CountsByShareAndRemembersTheMost) {
  MemoryAccount account(Limits());
  {
    MemoryReservation sinks(&account, MemoryShare::kSinks);
    sinks.Set(600);
    MemoryReservation more(&account, MemoryShare::kSinks);
    more.Set(400);
    EXPECT_TRUE(account.full(MemoryShare::kSinks));
    sinks.Set(100);
    EXPECT_FALSE(account.full(MemoryShare::kSinks));
    EXPECT_TRUE(account.half_full(MemoryShare::kSinks));
    EXPECT_EQ(account.used_bytes(MemoryShare::kState), 0);
  }
  EXPECT_EQ(account.used_bytes(MemoryShare::kSinks), 0);
  EXPECT_EQ(account.peak_bytes(MemoryShare::kSinks), 1000);
}

// A sink whose commit was left behind by a cancel goes when that call comes back, whenever that is.
TEST(MemoryAccountTest, AReservationMayOutliveIt) {
  auto account = std::make_unique<MemoryAccount>(Limits());
  MemoryReservation reservation(account.get(), MemoryShare::kSinks);
  reservation.Set(600);
  account.reset();
  reservation.Set(0);
}

}  // namespace
}  // namespace watershed
