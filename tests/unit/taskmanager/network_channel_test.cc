#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "taskmanager/network/channel_proto.h"
#include "taskmanager/network/incoming_frames.h"
#include "tests/unit/taskmanager/network_endpoint.h"
#include "watershed/v1/data.grpc.pb.h"

namespace watershed {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr int64_t kCapacity = 64 << 10;

SchemaPtr TestSchema() {
  static const SchemaPtr schema = std::make_shared<const Schema>(std::vector<Field>{
      {"n", DataType{TypeKind::kInt64}, false}, {"text", DataType{TypeKind::kString}, false}});
  return schema;
}

RecordBatch Batch(int64_t first, int rows, size_t text_bytes = 8) {
  BatchBuilder builder(TestSchema());
  for (int i = 0; i < rows; ++i) {
    builder.column(0).AppendInt64(first + i);
    builder.column(1).AppendString(std::string(text_bytes, 'x'));
    builder.FinishRow();
  }
  return builder.Finish();
}

// Signals a test thread; callbacks come from gRPC's.
class Event {
 public:
  void Set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return set_; });
    set_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

class Producer {
 public:
  explicit Producer(std::unique_ptr<ChannelSender> sender) : sender_(std::move(sender)) {
    sender_->SetOnWritable([this] { writable_.Set(); });
  }
  void Push(StreamElement element) {
    while (!sender_->TryPush(element)) writable_.Wait();
  }
  ChannelSender& sender() { return *sender_; }

 private:
  Event writable_;
  std::unique_ptr<ChannelSender> sender_;
};

class Consumer {
 public:
  explicit Consumer(std::unique_ptr<ChannelReceiver> receiver) : receiver_(std::move(receiver)) {
    receiver_->SetOnReadable([this] { readable_.Set(); });
  }
  StreamElement Pop() {
    for (;;) {
      if (auto element = receiver_->TryPop()) return std::move(*element);
      readable_.Wait();
    }
  }
  ChannelReceiver& receiver() { return *receiver_; }

 private:
  Event readable_;
  std::unique_ptr<ChannelReceiver> receiver_;
};

// Subtasks of vertex "up" run on a, those of "down" on b.
class NetworkChannelTest : public testing::Test {
 protected:
  NetworkChannelTest() : a_("a", kCapacity), b_("b", kCapacity) {
    deployment_.set_job_id("job");
    deployment_.set_attempt(1);
    v1::Edge* edge = deployment_.mutable_plan()->add_edges();
    edge->set_source_vertex_id("up");
    edge->set_target_vertex_id("down");
    for (int i = 0; i < 4; ++i) {
      Place("up", i, a_);
      Place("down", i, b_);
    }
    EXPECT_TRUE(a_.provider().AddAttempt(deployment_));
    EXPECT_TRUE(b_.provider().AddAttempt(deployment_));
  }
  void Place(const std::string& vertex, int subtask, const NetworkEndpoint& at) {
    v1::TaskPlacement* placement = deployment_.add_placements();
    placement->set_vertex_id(vertex);
    placement->set_subtask(subtask);
    placement->set_task_manager_id(at.id());
    placement->set_address(at.address());
  }
  static ChannelKey Key(int upstream, int downstream) {
    return {JobId{"job"}, Attempt{1}, 0, SubtaskIndex{upstream}, SubtaskIndex{downstream}};
  }
  Producer OpenProducer(int upstream, int downstream) {
    return Producer(a_.provider().OpenSender(Key(upstream, downstream), TestSchema()).value());
  }
  Consumer OpenConsumer(int upstream, int downstream) {
    return Consumer(b_.provider().OpenReceiver(Key(upstream, downstream), TestSchema()).value());
  }

  v1::DeployTasksRequest deployment_;
  NetworkEndpoint a_;
  NetworkEndpoint b_;
};

TEST_F(NetworkChannelTest, EverythingKeepsItsOrder) {
  Producer producer = OpenProducer(0, 0);  // the sender may come first
  Consumer consumer = OpenConsumer(0, 0);
  std::thread pushing([&] {
    for (int i = 0; i < 200; ++i) {
      producer.Push(Batch(i * 100, 100));
      producer.Push(Watermark{i});
    }
    producer.Push(WatermarkStatus{true});
    producer.Push(Barrier{CheckpointId{7}, 42, true});
    producer.Push(EndOfInput{});
  });
  int64_t next_row = 0;
  int64_t watermark = -1;
  bool ended = false;
  std::vector<std::string> tail;
  while (!ended) {
    const StreamElement element = consumer.Pop();
    if (const auto* batch = std::get_if<RecordBatch>(&element)) {
      ASSERT_EQ(batch->column(0).Int64s()[0], next_row);
      next_row += batch->num_rows();
    } else if (const auto* mark = std::get_if<Watermark>(&element)) {
      ASSERT_GT(mark->time_ms, watermark);
      watermark = mark->time_ms;
      // Adjacent ones may have become one, but none overtakes its rows.
      ASSERT_EQ(next_row, (watermark + 1) * 100);
    } else if (const auto* barrier = std::get_if<Barrier>(&element)) {
      EXPECT_EQ(barrier->checkpoint_id.value, 7);
      EXPECT_EQ(barrier->trigger_time_ms, 42);
      EXPECT_TRUE(barrier->is_savepoint);
      tail.emplace_back("barrier");
    } else if (const auto* status = std::get_if<WatermarkStatus>(&element)) {
      EXPECT_TRUE(status->idle);
      tail.emplace_back("idle");
    } else {
      ended = true;
    }
  }
  pushing.join();
  EXPECT_EQ(next_row, 20'000);
  EXPECT_EQ(watermark, 199);
  EXPECT_THAT(tail, testing::ElementsAre("idle", "barrier"));
  EXPECT_GT(a_.context().bytes_out->value(), 20'000 * 16);
  EXPECT_EQ(a_.context().bytes_out->value(), b_.context().bytes_in->value());
  EXPECT_EQ(a_.context().frames_out->value(), b_.context().frames_in->value());
}

TEST_F(NetworkChannelTest, ASlowChannelStopsAtItsCreditAndBlocksNoOther) {
  Producer slow = OpenProducer(0, 0);
  Producer fast = OpenProducer(1, 1);
  Consumer slow_consumer = OpenConsumer(0, 0);
  Consumer fast_consumer = OpenConsumer(1, 1);

  // Nobody reads the slow channel: it takes what its credit allows, overdrawn by one batch at most.
  const int64_t batch_bytes = 16 << 10;
  StreamElement stuck = Batch(0, 1, static_cast<size_t>(batch_bytes));
  slow.Push(Batch(0, 1, static_cast<size_t>(batch_bytes)));  // waits for the first credit
  int admitted = 1;
  while (slow.sender().TryPush(stuck)) {
    stuck = Batch(++admitted, 1, static_cast<size_t>(batch_bytes));
  }
  EXPECT_FALSE(slow.sender().Writable());
  EXPECT_LE(admitted * batch_bytes, kCapacity + batch_bytes);
  EXPECT_GE(admitted * batch_bytes, kCapacity - batch_bytes);

  // What needs no credit still goes through, on the same stream, and so do a hundred times as many
  // bytes of another channel.
  slow.Push(Watermark{5});
  std::thread pushing([&] {
    for (int i = 0; i < 400; ++i) fast.Push(Batch(i, 1, static_cast<size_t>(batch_bytes)));
    fast.Push(EndOfInput{});
  });
  int received = 0;
  while (std::holds_alternative<RecordBatch>(fast_consumer.Pop())) ++received;
  pushing.join();
  EXPECT_EQ(received, 400);

  // The slow channel goes on where it stood.
  for (int i = 0; i < admitted; ++i) {
    ASSERT_TRUE(std::holds_alternative<RecordBatch>(slow_consumer.Pop())) << i;
  }
  EXPECT_TRUE(std::holds_alternative<Watermark>(slow_consumer.Pop()));
  slow.Push(std::move(stuck));
  EXPECT_TRUE(std::holds_alternative<RecordBatch>(slow_consumer.Pop()));
  EXPECT_TRUE(a_.failures().empty());
}

TEST_F(NetworkChannelTest, ABatchFarAboveTheCapacityPasses) {
  Producer producer = OpenProducer(0, 0);
  Consumer consumer = OpenConsumer(0, 0);
  for (int round = 0; round < 3; ++round) {
    std::thread pushing([&] { producer.Push(Batch(0, 6, 1 << 20)); });  // 6 MB, in several frames
    int64_t rows = 0;
    while (rows < 6) rows += std::get<RecordBatch>(consumer.Pop()).num_rows();
    pushing.join();
  }
  // A single row larger than a frame travels in parts.
  std::thread pushing([&] { producer.Push(Batch(9, 1, 5 << 20)); });
  const StreamElement element = consumer.Pop();
  pushing.join();
  EXPECT_EQ(std::get<RecordBatch>(element).column(0).Int64s()[0], 9);
}

class RecordedCredits final : public CreditWriter {
 public:
  std::vector<int64_t> granted;
  std::string closed;

 private:
  void Write(v1::Credit credit) override {
    if (credit.closed_reason().empty()) {
      granted.push_back(credit.bytes());
    } else {
      closed = credit.closed_reason();
    }
  }
};

std::string Encoded(const RecordBatch& batch) {
  std::vector<std::string> frames;
  EXPECT_TRUE(EncodeFrames(batch, frames));
  EXPECT_EQ(frames.size(), 1u);
  return frames[0];
}

TEST(ReceivingChannelTest, CreditIsGrantedWhenBothEndsAreThereAndThenAsItIsUsed) {
  auto context = std::make_shared<NetworkContext>();
  const auto credits = std::make_shared<RecordedCredits>();
  ReceivingChannel channel({}, context);
  ASSERT_TRUE(channel.Attach(credits, 1));
  EXPECT_FALSE(channel.Attach(credits, 1));
  EXPECT_THAT(credits->granted, testing::IsEmpty());
  ASSERT_TRUE(channel.Claim(TestSchema(), 4000));
  EXPECT_FALSE(channel.Claim(TestSchema(), 4000));
  EXPECT_THAT(credits->granted, testing::ElementsAre(4000));

  const std::string frame = Encoded(Batch(0, 1, 560));
  const auto frame_bytes = static_cast<int64_t>(frame.size());
  ASSERT_GT(frame_bytes, 500);
  ASSERT_LT(frame_bytes, 1000);
  for (int i = 0; i < 4; ++i) channel.ReceiveRows(frame);
  EXPECT_EQ(credits->granted.size(), 1u);  // what only arrived is not free
  channel.TryPop();
  EXPECT_EQ(credits->granted.size(), 1u);  // less than a quarter
  channel.TryPop();
  EXPECT_THAT(credits->granted, testing::ElementsAre(4000, 2 * frame_bytes));
  channel.Close("enough");
  EXPECT_EQ(credits->closed, "enough");
  channel.ReceiveRows(frame);
  EXPECT_FALSE(channel.TryPop());
}

TEST(ReceivingChannelTest, WatermarksDoNotPileUpAtAConsumerThatStandsStill) {
  ReceivingChannel channel({}, std::make_shared<NetworkContext>());
  ASSERT_TRUE(channel.Claim(TestSchema(), 4000));
  for (int i = 0; i < 10'000; ++i) channel.ReceiveControl(Watermark{i});
  channel.ReceiveRows(Encoded(Batch(0, 1)));
  for (int i = 0; i < 10; ++i) channel.ReceiveControl(Watermark{20'000 + i});
  channel.ReceiveControl(EndOfInput{});
  EXPECT_EQ(std::get<Watermark>(channel.TryPop().value()).time_ms, 9'999);
  EXPECT_TRUE(std::holds_alternative<RecordBatch>(channel.TryPop().value()));
  EXPECT_EQ(std::get<Watermark>(channel.TryPop().value()).time_ms, 20'009);
  EXPECT_TRUE(std::holds_alternative<EndOfInput>(channel.TryPop().value()));
  EXPECT_FALSE(channel.TryPop());
}

// The registry has the channel that nobody claimed, the channel its stream: no circle of them.
TEST(IncomingFramesTest, AStreamThatIsOverLetsTheReceiversGo) {
  const auto context = std::make_shared<NetworkContext>();
  int failures = 0;
  context->on_failure = [&](const ChannelKey&, ChannelEnd, const Error&) { ++failures; };
  auto receivers = std::make_shared<ReceiverRegistry>(context);
  const std::weak_ptr<ReceiverRegistry> registry = receivers;
  IncomingFrames frames("a", context, std::move(receivers));
  v1::Frame frame;
  *frame.mutable_open() = ToProto(ChannelKey{JobId{"job"}, Attempt{1}, 0, {0}, {0}});
  frame.set_channel_number(1);
  EXPECT_EQ(frames.Receive(frame, std::make_shared<RecordedCredits>()), "");
  frames.Break("");
  EXPECT_EQ(failures, 1);
  EXPECT_TRUE(registry.expired());
}

TEST_F(NetworkChannelTest, ABrokenStreamFailsBothEndsNamingBothTaskManagers) {
  Producer producer = OpenProducer(0, 0);
  Consumer consumer = OpenConsumer(0, 0);
  producer.Push(Batch(0, 10));
  consumer.Pop();
  b_.StopServer();
  const std::vector<ChannelFailure> at_sender = a_.WaitForFailures(1);
  const std::vector<ChannelFailure> at_receiver = b_.WaitForFailures(1);
  ASSERT_EQ(at_sender.size(), 1u);
  EXPECT_EQ(at_sender[0].end, ChannelEnd::kSender);
  EXPECT_EQ(at_sender[0].key, Key(0, 0));
  EXPECT_THAT(at_sender[0].error.message,
              StartsWith("the connection from TaskManager a to TaskManager b at 127.0.0.1:"));
  ASSERT_EQ(at_receiver.size(), 1u);
  EXPECT_EQ(at_receiver[0].end, ChannelEnd::kReceiver);
  EXPECT_THAT(at_receiver[0].error.message,
              StartsWith("the connection from TaskManager a to TaskManager b broke"));
  // A sender never waits for a receiver that is gone.
  for (int i = 0; i < 100; ++i) producer.Push(Batch(i, 100, 1000));
}

TEST_F(NetworkChannelTest, AChannelThatHasEndedDoesNotFailWhenTheStreamBreaks) {
  Producer producer = OpenProducer(0, 0);
  Producer live = OpenProducer(1, 1);
  Consumer consumer = OpenConsumer(0, 0);
  Consumer live_consumer = OpenConsumer(1, 1);
  producer.Push(EndOfInput{});
  consumer.Pop();
  a_.provider().Shutdown();
  const std::vector<ChannelFailure> failures = b_.WaitForFailures(1);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].key, Key(1, 1));
}

// Nobody would miss it: a sender that has ended is told of nothing, a receiver that has not heard
// of the channel knows of nothing that breaks.
TEST_F(NetworkChannelTest, AnEndGoesOnlyToAReceiverThatKnowsTheChannel) {
  Producer producer = OpenProducer(0, 0);
  Producer other = OpenProducer(1, 1);
  StreamElement end = EndOfInput{};
  EXPECT_FALSE(producer.sender().TryPush(end));
  {
    Consumer consumer = OpenConsumer(0, 0);
    producer.Push(EndOfInput{});
    EXPECT_TRUE(std::holds_alternative<EndOfInput>(consumer.Pop()));
  }
  EXPECT_FALSE(other.sender().TryPush(end));
  b_.StopServer();
  const std::vector<ChannelFailure> failures = a_.WaitForFailures(1);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].key, Key(1, 1));
  EXPECT_EQ(failures[0].end, ChannelEnd::kSender);
}

TEST_F(NetworkChannelTest, APeerThatCannotBeReachedIsAFailureThatNamesIt) {
  b_.StopServer();
  auto sender = a_.provider().OpenSender(Key(0, 0), TestSchema());
  // Told at once when the connection was refused sooner than the channel was opened.
  const Error error = sender ? a_.WaitForFailures(1)[0].error : sender.error();
  EXPECT_THAT(error.message, HasSubstr("TaskManager b at " + b_.address()));
}

TEST_F(NetworkChannelTest, AClosedReceiverFreesItsSender) {
  Producer producer = OpenProducer(0, 0);
  {
    Consumer consumer = OpenConsumer(0, 0);
    producer.Push(Batch(0, 1));
    consumer.Pop();
  }
  // More than the credit: these are accepted and dropped once the receiver's goodbye has arrived.
  for (int i = 0; i < 100; ++i) producer.Push(Batch(i, 10, 1000));
  EXPECT_TRUE(a_.failures().empty());
}

TEST_F(NetworkChannelTest, AnAttemptThatHasEndedTakesNoNewChannels) {
  b_.provider().ForgetAttempt(JobId{"job"}, Attempt{1});
  Producer producer = OpenProducer(0, 0);
  for (int i = 0; i < 100; ++i) producer.Push(Batch(i, 10, 1000));  // dropped, never stuck
  EXPECT_FALSE(b_.provider().OpenReceiver(Key(0, 0), TestSchema()));
}

// One of each region runs at once.
TEST_F(NetworkChannelTest, AnAttemptThatEndsLeavesOlderOnesTheirChannels) {
  v1::DeployTasksRequest later = deployment_;
  later.set_attempt(2);
  later.set_oldest_attempt(1);
  ASSERT_TRUE(a_.provider().AddAttempt(later));
  ASSERT_TRUE(b_.provider().AddAttempt(later));
  Consumer consumer = OpenConsumer(0, 0);
  Producer producer = OpenProducer(0, 0);
  producer.Push(Batch(0, 1));
  EXPECT_EQ(std::get<RecordBatch>(consumer.Pop()).num_rows(), 1);
  b_.provider().ForgetAttempt(JobId{"job"}, Attempt{2});
  ChannelKey ended = Key(0, 0);
  ended.attempt = Attempt{2};
  EXPECT_FALSE(b_.provider().OpenReceiver(ended, TestSchema()));
  producer.Push(Batch(1, 5));
  EXPECT_EQ(std::get<RecordBatch>(consumer.Pop()).num_rows(), 5);
  Consumer new_one = OpenConsumer(1, 1);  // of the older one
  Producer to_it = OpenProducer(1, 1);
  to_it.Push(Batch(2, 7));
  EXPECT_EQ(std::get<RecordBatch>(new_one.Pop()).num_rows(), 7);
}

// Without a word about older ones there are none.
TEST_F(NetworkChannelTest, AnAttemptOfAllTasksEndsThoseBeforeIt) {
  v1::DeployTasksRequest later = deployment_;
  later.set_attempt(2);
  ASSERT_TRUE(b_.provider().AddAttempt(later));
  EXPECT_FALSE(b_.provider().OpenReceiver(Key(0, 0), TestSchema()));
}

TEST_F(NetworkChannelTest, ASenderThatGivesUpLeavesNoFailureBehind) {
  Consumer consumer = OpenConsumer(0, 0);
  Consumer other = OpenConsumer(1, 1);
  {
    Producer producer = OpenProducer(0, 0);
    producer.Push(Batch(0, 1));
    consumer.Pop();
  }  // closed before its end of input: its task was cancelled
  Producer live = OpenProducer(1, 1);
  live.Push(Watermark{1});
  other.Pop();  // the goodbye came before this on the same stream
  a_.provider().Shutdown();
  const std::vector<ChannelFailure> failures = b_.WaitForFailures(1);
  EXPECT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].key, Key(1, 1));
}

TEST_F(NetworkChannelTest, GarbageEndsTheStreamNotTheProcess) {
  Consumer consumer = OpenConsumer(0, 0);
  auto stub = v1::DataExchange::NewStub(MakeChannel(b_.address()));
  const auto send = [&](const std::vector<v1::Frame>& frames) {
    grpc::ClientContext context;
    auto stream = stub->Exchange(&context);
    for (const v1::Frame& frame : frames) stream->Write(frame);
    v1::Credit credit;
    bool refused = false;
    while (!refused && stream->Read(&credit)) refused = !credit.closed_reason().empty();
    if (refused) context.TryCancel();
    return stream->Finish();
  };
  v1::Frame unopened;
  unopened.set_channel_number(3);
  unopened.set_batch("rows");
  EXPECT_EQ(send({unopened}).error_code(), grpc::StatusCode::INVALID_ARGUMENT);

  v1::Frame huge;
  huge.set_channel_number(3);
  huge.set_batch(std::string(5 << 20, 'x'));
  EXPECT_NE(send({huge}).error_code(), grpc::StatusCode::OK);

  v1::Frame open;
  open.set_channel_number(1);
  open.mutable_open()->set_job_id("job");
  open.mutable_open()->set_attempt(1);
  v1::Frame bad_rows;
  bad_rows.set_channel_number(1);
  bad_rows.set_batch("no frame of ours");
  std::thread reading([&] {
    while (b_.failures().empty()) consumer.receiver().TryPop();
  });
  send({open, bad_rows});
  reading.join();
  EXPECT_THAT(b_.failures()[0].error.message, HasSubstr("edge 0, subtask 0 to 0 of job job"));
}

TEST_F(NetworkChannelTest, LocalPairsDoNotTouchTheNetwork) {
  v1::DeployTasksRequest local = deployment_;
  local.set_attempt(2);
  for (auto& placement : *local.mutable_placements()) {
    placement.set_task_manager_id("a");
    placement.set_address(a_.address());
  }
  ASSERT_TRUE(a_.provider().AddAttempt(local));
  ChannelKey key = Key(0, 0);
  key.attempt = Attempt{2};
  Producer producer(a_.provider().OpenSender(key, TestSchema()).value());
  Consumer consumer(a_.provider().OpenReceiver(key, TestSchema()).value());
  producer.Push(Batch(0, 10));
  EXPECT_EQ(std::get<RecordBatch>(consumer.Pop()).num_rows(), 10);
  EXPECT_EQ(a_.context().bytes_out->value(), 0);
  key.downstream = SubtaskIndex{77};
  EXPECT_FALSE(a_.provider().OpenSender(key, TestSchema()));
}

}  // namespace
}  // namespace watershed
