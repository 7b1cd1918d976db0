// A source that hands out what a test put into it.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/connectors/source.h"
#include "runtime/formats/format.h"

namespace watershed {

// Shared by the test and the source it gave away.
struct SourceScript {
  struct Record {
    int32_t split = 0;
    std::string value;  // "key@time", see KeyTimeDecoder
    int64_t position = 0;
    std::optional<std::string> key = {};
    int64_t timestamp_ms = 0;
    bool is_tombstone = false;
  };
  struct PollAnswer {
    std::vector<Record> records;
    std::vector<SplitProgress> progress;
    bool finished = false;
    std::string degraded_reason;
  };
  std::deque<PollAnswer> answers;  // one a poll; afterwards polls find nothing
  std::vector<std::string> calls;  // "pause:1", "resume:1", "close"
  int polls = 0;
};

class ScriptedSource final : public Source {
 public:
  explicit ScriptedSource(std::shared_ptr<SourceScript> script) : script_(std::move(script)) {}

  Status Open(std::span<const SourceSplit> splits) override { return AddSplits(splits); }
  Status AddSplits(std::span<const SourceSplit> splits) override {
    for (const SourceSplit& split : splits) positions_.push_back({split.id, split.start_position});
    return Ok();
  }
  Status Poll(PolledRecords& out, int, std::chrono::milliseconds) override {
    out.raw.clear();
    out.rows.reset();
    out.row_splits.clear();
    out.progress.clear();
    out.finished = false;
    out.degraded_reason.clear();
    ++script_->polls;
    if (script_->answers.empty()) return Ok();
    current_ = std::move(script_->answers.front());
    script_->answers.pop_front();
    for (const SourceScript::Record& record : current_.records) {
      RawRecord& raw = out.raw.emplace_back(RawRecord{.split_index = record.split,
                                                      .position = record.position,
                                                      .timestamp_ms = record.timestamp_ms});
      if (!record.is_tombstone) raw.value = record.value;
      if (record.key) raw.key = *record.key;
      positions_[static_cast<size_t>(record.split)].next_position = record.position + 1;
    }
    out.progress = current_.progress;
    out.finished = current_.finished;
    out.degraded_reason = current_.degraded_reason;
    return Ok();
  }
  Status Pause(int32_t split_index) override { return Note("pause:", split_index); }
  Status Resume(int32_t split_index) override { return Note("resume:", split_index); }
  std::vector<SplitPosition> Positions() const override { return positions_; }
  void OnCheckpointComplete(std::span<const SplitPosition>) override {}
  void Close() override { script_->calls.push_back("close"); }

 private:
  Status Note(const std::string& what, int32_t split_index) {
    script_->calls.push_back(what + std::to_string(split_index));
    return Ok();
  }
  std::shared_ptr<SourceScript> script_;
  SourceScript::PollAnswer current_;
  std::vector<SplitPosition> positions_;
};

// Payloads "key@time" → rows of KeyTimeSchema; anything else is an error.
class KeyTimeDecoder final : public Decoder {
 public:
  void Decode(std::span<const std::string_view> payloads, BatchBuilder& out,
              std::vector<int32_t>& decoded, std::vector<DecodeError>& errors) override {
    for (size_t i = 0; i < payloads.size(); ++i) {
      const auto at = payloads[i].find('@');
      if (at == std::string_view::npos) {
        const bool is_null = payloads[i].data() == nullptr;
        errors.push_back({static_cast<int32_t>(i), is_null ? "null" : "expected key@time"});
        continue;
      }
      out.column(0).AppendString(payloads[i].substr(0, at));
      out.column(1).AppendInt64(std::stoll(std::string(payloads[i].substr(at + 1))));
      out.FinishRow();
      decoded.push_back(static_cast<int32_t>(i));
    }
  }
};

}  // namespace watershed
