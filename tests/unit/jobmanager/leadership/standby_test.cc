#include "jobmanager/leadership/standby.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "jobmanager/store/job_store.h"
#include "runtime/logging/log.h"
#include "runtime/process/network_place.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/stepped_work_runner.h"
#include "tests/unit/jobmanager/stepped_executor.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;

// A port of this machine on which somebody listens until Close.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_, any, size), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
    EXPECT_EQ(getsockname(fd_, any, &size), 0);
    address_ = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
  }
  ~Listener() { Close(); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  const std::string& address() const { return address_; }

 private:
  int fd_;
  std::string address_;
};

// A leader with a lease of a second, and one that stands by. Time passes in the pauses of the
// latter.
class StandbyTest : public testing::Test {
 protected:
  StandbyTest() {
    leader_ = MakeLogJobStore(storage_, &io_, &clock_, &clock_, {.writer_id = 1});
    self_.set_rpc_address(listener_.address());
    self_.set_lease_ms(1000);
  }
  void Lead() { ASSERT_TRUE(leader_->BecomeLeader(self_)); }
  void Append(bool released) {
    v1::LogEntry entry;
    entry.mutable_lease()->set_released(released);
    leader_->Append(std::move(entry), [](const Status& status) { ASSERT_TRUE(status); });
    io_.RunAll();
    clock_.RunAll();
  }
  // `each` is called at every pause.
  std::optional<int64_t> AwaitTurn(const std::function<bool()>& each) {
    Standby standby(storage_, &clock_);
    const auto began = clock_.Steady();
    const auto turn = standby.AwaitTurn([&](milliseconds time) {
      clock_.Advance(time);
      return each();
    });
    waited_ = std::chrono::duration_cast<milliseconds>(clock_.Steady() - began);
    EXPECT_TRUE(turn);
    return *turn;
  }

  SteppedExecutor clock_;
  SteppedWorkRunner io_;
  const std::shared_ptr<FaultyStorage> storage_ = std::make_shared<FaultyStorage>(&clock_);
  Listener listener_;
  v1::LeaderEntry self_;
  std::unique_ptr<JobStore> leader_;
  milliseconds waited_{0};
};

TEST_F(StandbyTest, LeadsAtOnceWhereNobodyHas) {
  EXPECT_EQ(AwaitTurn([] { return true; }), 0);
  EXPECT_EQ(waited_, milliseconds(0));
}

TEST_F(StandbyTest, WaitsForALeaseAfterTheLastEntry) {
  Lead();
  int entries = 0;
  EXPECT_EQ(AwaitTurn([&] {
              if (++entries <= 20) Append(false);
              return true;
            }),
            1);
  // A look and a pause are of an eighth of the lease.
  EXPECT_GE(waited_, 20 * milliseconds(125) + milliseconds(1000));
  EXPECT_LE(waited_, 20 * milliseconds(125) + milliseconds(1125));
}

TEST_F(StandbyTest, LeadsAtOnceWhenTheLeaseIsReleased) {
  Lead();
  EXPECT_EQ(AwaitTurn([&] {
              Append(true);
              return true;
            }),
            1);
  EXPECT_EQ(waited_, milliseconds(125));
}

TEST_F(StandbyTest, LeadsAtOnceWhenNobodyListensInTheLeadersPlace) {
  self_.set_network_place(NetworkPlace());
  ASSERT_FALSE(self_.network_place().empty());
  Lead();
  int pauses = 0;
  EXPECT_EQ(AwaitTurn([&] {
              if (++pauses == 4) listener_.Close();
              Append(false);
              return true;
            }),
            1);
  EXPECT_EQ(waited_, 4 * milliseconds(125));
}

// Its address, asked here, says nothing of a machine far away.
TEST_F(StandbyTest, APortThatIsRefusedElsewhereSaysNothing) {
  self_.set_network_place("elsewhere");
  Lead();
  listener_.Close();
  EXPECT_EQ(AwaitTurn([] { return true; }), 1);
  EXPECT_GE(waited_, milliseconds(1000));
}

TEST_F(StandbyTest, EndsWhenItIsAskedTo) {
  Lead();
  EXPECT_EQ(AwaitTurn([] { return false; }), std::nullopt);
}

TEST_F(StandbyTest, ALogThatCannotBeReadForATimeIsReadAgain) {
  Lead();
  int pauses = 0;
  EXPECT_EQ(AwaitTurn([&] {
              const bool fails = ++pauses < 24;
              storage_->SetFaults([fails](const StorageCall&) {
                return fails ? StorageFault::kFail : StorageFault::kNone;
              });
              return true;
            }),
            1);
  EXPECT_GE(waited_, 24 * milliseconds(125) + milliseconds(1000));
}

// Two that stood by: the one that comes later stands by again.
TEST_F(StandbyTest, OnlyOneSucceeds) {
  Lead();
  const auto one =
      MakeLogJobStore(storage_, &io_, &clock_, &clock_, {.writer_id = 2, .successor_of = 1});
  const auto two =
      MakeLogJobStore(storage_, &io_, &clock_, &clock_, {.writer_id = 3, .successor_of = 1});
  EXPECT_TRUE(one->BecomeLeader(self_));
  const auto second = two->BecomeLeader(self_);
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().retryable);
  EXPECT_NE(second.error().message.find("was quicker to lead"), std::string::npos);
}

TEST_F(StandbyTest, KnowsTheLeaderFromASnapshotToo) {
  leader_ =
      MakeLogJobStore(storage_, &io_, &clock_, &clock_, {.writer_id = 1, .snapshot_every = 3});
  Lead();
  for (int i = 0; i < 10; ++i) Append(false);
  LeaderObserver observer(storage_);
  const auto sight = observer.Look();
  ASSERT_TRUE(sight);
  EXPECT_EQ(sight->leader_epoch, 1);
  EXPECT_EQ(sight->leader.rpc_address(), listener_.address());
  EXPECT_EQ(sight->leader.lease_ms(), 1000);
}

}  // namespace
}  // namespace watershed
