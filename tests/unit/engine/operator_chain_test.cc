// The order in which nodes of a chain see rows, watermarks, barriers and the end.
#include "runtime/engine/operator_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/operator_node.h"
#include "tests/unit/engine/rows.h"

namespace watershed {
namespace {

using ::testing::ElementsAre;
using Log = std::vector<std::string>;

// Holds rows back until flushed, and fires `slices` batches at a watermark, one a call.
class RecordingOperator final : public Operator {
 public:
  RecordingOperator(std::string name, Log* log, int slices = 0)
      : name_(std::move(name)), log_(log), slices_(slices) {}

  Status Process(int, const RecordBatch& batch, Output& output) override {
    log_->push_back(name_ + " " + Describe(batch));
    for (const auto& [key, time_ms] : FromRows(batch)) {
      if (key == "bad") return UserError("no such key");
      if (key == "late") {
        WS_RETURN_IF_ERROR(output.EmitSide("late", Rows({{key, time_ms}})));
      } else {
        held_.emplace_back(key, time_ms);
      }
    }
    return Ok();
  }
  Result<Progress> OnWatermark(TimestampMs time_ms, Output& output) override {
    if (fired_ < slices_) {
      ++fired_;
      log_->push_back(name_ + " fires");
      WS_RETURN_IF_ERROR(output.Emit(Rows({{name_ + std::to_string(fired_), time_ms}})));
      return Progress::kYield;
    }
    log_->push_back(name_ + " watermark:" + std::to_string(time_ms));
    return Progress::kDone;
  }
  Status Flush(Output& output) override {
    log_->push_back(name_ + " flush");
    if (held_.empty()) return Ok();
    return output.Emit(Rows(std::exchange(held_, {})));
  }
  Status EndOfInput(Output&) override {
    log_->push_back(name_ + " end");
    return Ok();
  }

 private:
  std::string name_;
  Log* log_;
  int slices_;
  int fired_ = 0;
  std::vector<KeyAndTime> held_;
};

// An end of the chain.
class RecordingEnd final : public ChainNode {
 public:
  RecordingEnd(std::string name, Log* log) : name_(std::move(name)), log_(log) {}
  Result<Progress> Open() override {
    (void)Note("open");
    return Progress::kDone;
  }
  Status Process(int, const RecordBatch& batch) override { return Note(Describe(batch)); }
  Status Flush() override { return Note("flush"); }
  Result<Progress> OnWatermark(TimestampMs time_ms) override {
    (void)Note("watermark:" + std::to_string(time_ms));
    return Progress::kDone;
  }
  Status OnWatermarkStatus(WatermarkStatus status) override { return Note(Describe(status)); }
  Status OnBarrier(const Barrier& barrier) override { return Note(Describe(barrier)); }
  Result<Progress> EndOfInput() override {
    (void)Note("end");
    return Progress::kDone;
  }
  void Close() override {}
  bool full() const override { return full_; }
  void set_full(bool full) { full_ = full; }

 private:
  Status Note(const std::string& what) {
    log_->push_back(name_ + " " + what);
    return Ok();
  }
  std::string name_;
  Log* log_;
  bool full_ = false;
};

class OperatorChainTest : public ::testing::Test {
 protected:
  OperatorNode* AddOperator(const std::string& name, OperatorNode* parent, int slices = 0) {
    OperatorContext context;
    context.operator_id = name;
    context.metrics = &metrics_;
    auto node =
        std::make_unique<OperatorNode>(std::make_unique<RecordingOperator>(name, &log_, slices),
                                       std::move(context), [this] { return chain_.full(); });
    OperatorNode* added = node.get();
    chain_.Add(std::move(node), parent == nullptr);
    if (parent != nullptr) parent->AddConsumer("", added, 0);
    return added;
  }
  RecordingEnd* AddEnd(const std::string& name, OperatorNode* parent,
                       const std::string& side = "") {
    auto node = std::make_unique<RecordingEnd>(name, &log_);
    RecordingEnd* added = node.get();
    chain_.Add(std::move(node), false);
    parent->AddConsumer(side, added, 0);
    return added;
  }
  Log TakeLog() { return std::exchange(log_, {}); }

  MetricRegistry registry_;
  MetricGroup metrics_{&registry_, {}};
  Log log_;
  OperatorChain chain_;
};

TEST_F(OperatorChainTest, FlushesInChainOrderBeforeAWatermark) {
  OperatorNode* a = AddOperator("a", nullptr);
  OperatorNode* b = AddOperator("b", a);
  AddEnd("out", b);
  ASSERT_TRUE(chain_.Process(0, Rows({{"x", 1}})));
  EXPECT_THAT(TakeLog(), ElementsAre("a rows:x@1"));
  ASSERT_EQ(chain_.HandOn(Watermark{5}), Progress::kDone);
  EXPECT_THAT(TakeLog(), ElementsAre("a flush", "b rows:x@1", "a watermark:5",    //
                                     "b flush", "out rows:x@1", "b watermark:5",  //
                                     "out flush", "out watermark:5"));
}

TEST_F(OperatorChainTest, RowsOfASideOutputOfTheInputGoToItsHeadsOnly) {
  AddEnd("out", AddOperator("a", nullptr));
  chain_.Add(std::make_unique<RecordingEnd>("letters", &log_), true, "dead-letters");
  ASSERT_TRUE(chain_.Process(0, Rows({{"x", 1}})));
  ASSERT_TRUE(chain_.Process(0, Rows({{"y", 2}}), "dead-letters"));
  EXPECT_THAT(TakeLog(), ElementsAre("a rows:x@1", "letters rows:y@2"));
}

TEST_F(OperatorChainTest, FlushesTheWholeChainThenSnapshotsThenHandsOnABarrier) {
  OperatorNode* a = AddOperator("a", nullptr);
  OperatorNode* b = AddOperator("b", a);
  AddEnd("out", b);
  chain_.set_snapshot_hook([this](const Barrier& barrier) {
    log_.push_back("snapshot " + Describe(barrier));
    return Ok();
  });
  ASSERT_TRUE(chain_.Process(0, Rows({{"x", 1}})));
  TakeLog();
  ASSERT_EQ(chain_.HandOn(Barrier{.checkpoint_id = {3}}), Progress::kDone);
  EXPECT_THAT(TakeLog(), ElementsAre("a flush", "b rows:x@1", "b flush", "out rows:x@1",
                                     "out flush", "snapshot barrier:3", "out barrier:3"));
}

TEST_F(OperatorChainTest, AYieldedFiringGoesOnWhereItStopped) {
  OperatorNode* a = AddOperator("a", nullptr, /*slices=*/2);
  AddEnd("out", a);
  ASSERT_EQ(chain_.HandOn(Watermark{5}), Progress::kYield);
  EXPECT_TRUE(chain_.visiting());
  EXPECT_THAT(TakeLog(), ElementsAre("a flush", "a fires", "out rows:a1@5"));
  ASSERT_EQ(chain_.Continue(), Progress::kYield);
  EXPECT_THAT(TakeLog(), ElementsAre("a fires", "out rows:a2@5"));
  ASSERT_EQ(chain_.Continue(), Progress::kDone);
  EXPECT_FALSE(chain_.visiting());
  // Only now, behind all that it made a fire, is the watermark handed on.
  EXPECT_THAT(TakeLog(), ElementsAre("a watermark:5", "out flush", "out watermark:5"));
}

TEST_F(OperatorChainTest, ATreeGivesEveryBranchEveryRow) {
  OperatorNode* a = AddOperator("a", nullptr);
  OperatorNode* b = AddOperator("b", a);
  AddEnd("left", a);
  AddEnd("right", b);
  ASSERT_TRUE(chain_.Process(0, Rows({{"x", 1}, {"y", 2}})));
  ASSERT_EQ(chain_.HandOn(EndOfInput{}), Progress::kDone);
  EXPECT_THAT(TakeLog(),
              ElementsAre("a rows:x@1,y@2", "a flush", "b rows:x@1,y@2", "left rows:x@1,y@2",
                          "a end", "b flush", "right rows:x@1,y@2", "b end", "left flush",
                          "left end", "right flush", "right end"));
}

TEST_F(OperatorChainTest, ASideOutputGoesToItsConsumersOnly) {
  OperatorNode* a = AddOperator("a", nullptr);
  AddEnd("out", a);
  AddEnd("late", a, "late");
  ASSERT_TRUE(chain_.Process(0, Rows({{"x", 1}, {"late", 2}})));
  EXPECT_THAT(TakeLog(), ElementsAre("a rows:x@1,late@2", "late rows:late@2"));
}

TEST_F(OperatorChainTest, IsFullWhenAnyEndIs) {
  OperatorNode* a = AddOperator("a", nullptr);
  AddEnd("left", a);
  RecordingEnd* right = AddEnd("right", a);
  EXPECT_FALSE(chain_.full());
  right->set_full(true);
  EXPECT_TRUE(chain_.full());
}

TEST_F(OperatorChainTest, AnErrorNamesTheOperatorItCameFromOnly) {
  OperatorNode* a = AddOperator("a", nullptr);
  AddOperator("b", a);
  ASSERT_TRUE(chain_.Process(0, Rows({{"x", 1}})));
  Status status = chain_.Process(0, Rows({{"bad", 1}}));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "operator 'a' subtask 0: no such key");
}

TEST_F(OperatorChainTest, AnErrorBehindAnOperatorIsNotBlamedOnIt) {
  OperatorNode* a = AddOperator("a", nullptr, /*slices=*/0);
  OperatorContext context;
  context.operator_id = "b";
  context.subtask = {2};
  context.metrics = &metrics_;
  class Failing final : public Operator {
    Status Process(int, const RecordBatch&, Output&) override { return UserError("too long"); }
  };
  auto node = std::make_unique<OperatorNode>(std::make_unique<Failing>(), std::move(context),
                                             [] { return false; });
  a->AddConsumer("", node.get(), 0);
  chain_.Add(std::move(node), false);
  ASSERT_TRUE(chain_.Process(0, Rows({{"x", 1}})));
  const auto result = chain_.HandOn(Watermark{1});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "operator 'b' subtask 2: too long");
}

TEST_F(OperatorChainTest, OpensEndsFirstAndOnlyOnce) {
  OperatorNode* a = AddOperator("a", nullptr);
  AddEnd("left", a);
  AddEnd("right", a);
  ASSERT_TRUE(chain_.Open());
  ASSERT_TRUE(chain_.Open());
  EXPECT_THAT(TakeLog(), ElementsAre("right open", "left open"));
}

}  // namespace
}  // namespace watershed
