#include "taskmanager/network/receiving_channel.h"

#include <utility>

#include "taskmanager/network/channel_proto.h"

namespace watershed {

void CreditWriter::GrantCredit(uint32_t channel_number, int64_t bytes) {
  v1::Credit credit;
  credit.set_channel_number(channel_number);
  credit.set_bytes(bytes);
  Write(std::move(credit));
}

void CreditWriter::TellClosed(uint32_t channel_number, const std::string& reason) {
  v1::Credit credit;
  credit.set_channel_number(channel_number);
  credit.set_closed_reason(reason);
  Write(std::move(credit));
}

bool ReceivingChannel::Attach(std::shared_ptr<CreditWriter> writer, uint32_t channel_number) {
  std::shared_ptr<CreditWriter> grant_to;
  int64_t granted = 0;
  {
    const std::lock_guard lock(mutex_);
    if (writer_ != nullptr) return false;
    writer_ = std::move(writer);
    channel_number_ = channel_number;
    granted = capacity_bytes_;
    if (claimed_) grant_to = writer_;
  }
  if (grant_to) grant_to->GrantCredit(channel_number, granted);
  return true;
}

bool ReceivingChannel::Claim(const SchemaPtr& schema, int64_t capacity_bytes) {
  std::shared_ptr<CreditWriter> grant_to;
  {
    const std::lock_guard lock(mutex_);
    if (claimed_) return false;
    claimed_ = true;
    capacity_bytes_ = capacity_bytes;
    decoder_.emplace(schema);
    grant_to = writer_;
  }
  if (grant_to) grant_to->GrantCredit(channel_number_, capacity_bytes);
  return true;
}

void ReceivingChannel::Push(Item item) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    items_.push_back(std::move(item));
    if (items_.size() > 1) return;
  }
  on_readable_.Call();
}

void ReceivingChannel::ReceiveRows(std::string frame) { Push(std::move(frame)); }

void ReceivingChannel::ReceiveControl(StreamElement element) {
  {
    const std::lock_guard lock(mutex_);
    // Watermarks need no credit: a consumer that stands still must not let them pile up.
    if (std::holds_alternative<Watermark>(element) && !items_.empty()) {
      auto* last = std::get_if<StreamElement>(&items_.back());
      if (last != nullptr && std::holds_alternative<Watermark>(*last)) {
        *last = std::move(element);
        return;
      }
    }
  }
  Push(std::move(element));
}

void ReceivingChannel::ReceiveBroken(const Error& error) {
  if (!closed()) context_->on_failure(key_, ChannelEnd::kReceiver, error);
}

std::optional<StreamElement> ReceivingChannel::TryPop() {
  for (;;) {
    Item item;
    std::shared_ptr<CreditWriter> grant_to;
    int64_t granted = 0;
    {
      const std::lock_guard lock(mutex_);
      if (items_.empty()) return std::nullopt;
      item = std::move(items_.front());
      items_.pop_front();
      if (const auto* frame = std::get_if<std::string>(&item)) {
        popped_bytes_ += static_cast<int64_t>(frame->size());
        if (popped_bytes_ >= capacity_bytes_ / 4) {
          granted = std::exchange(popped_bytes_, 0);
          grant_to = writer_;
        }
      }
    }
    if (grant_to) grant_to->GrantCredit(channel_number_, granted);
    if (auto* element = std::get_if<StreamElement>(&item)) return std::move(*element);
    if (auto decoded = Decode(std::get<std::string>(item))) return decoded;
  }
}

std::optional<StreamElement> ReceivingChannel::Decode(const std::string& frame) {
  Result<std::optional<RecordBatch>> batch = decoder_->Add(frame);
  if (batch) {
    if (!*batch) return std::nullopt;
    return std::move(**batch);
  }
  Close("undecodable frame");
  context_->on_failure(
      key_, ChannelEnd::kReceiver,
      std::move(batch).error().Within("network channel, " + DescribeChannel(key_)));
  return std::nullopt;
}

void ReceivingChannel::SetOnReadable(std::function<void()> on_readable) {
  on_readable_.Set(std::move(on_readable));
  bool holds_items = false;
  {
    const std::lock_guard lock(mutex_);
    holds_items = !items_.empty();
  }
  if (holds_items) on_readable_.Call();
}

void ReceivingChannel::Close(const std::string& reason) {
  on_readable_.Set(nullptr);
  std::deque<Item> dropped;  // destroyed without the lock
  std::shared_ptr<CreditWriter> tell;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
    dropped.swap(items_);
    tell = writer_;
  }
  if (tell) tell->TellClosed(channel_number_, reason);
}

bool ReceivingChannel::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

namespace {

class RemoteReceiver final : public ChannelReceiver {
 public:
  RemoteReceiver(std::shared_ptr<ReceivingChannel> channel, std::function<void()> on_close)
      : channel_(std::move(channel)), on_close_(std::move(on_close)) {}
  ~RemoteReceiver() override { Close(); }

  std::optional<StreamElement> TryPop() override { return channel_->TryPop(); }
  void SetOnReadable(std::function<void()> on_readable) override {
    channel_->SetOnReadable(std::move(on_readable));
  }
  void Close() override {
    channel_->Close("the receiving task has ended");
    if (auto on_close = std::exchange(on_close_, nullptr)) on_close();
  }

 private:
  const std::shared_ptr<ReceivingChannel> channel_;
  std::function<void()> on_close_;
};

}  // namespace

std::unique_ptr<ChannelReceiver> MakeRemoteReceiver(std::shared_ptr<ReceivingChannel> channel,
                                                    std::function<void()> on_close) {
  return std::make_unique<RemoteReceiver>(std::move(channel), std::move(on_close));
}

}  // namespace watershed
