#include "jobmanager/store/numbered_log.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace watershed {
namespace {

constexpr std::string_view kFolder = "log/";
constexpr size_t kDigits = 20;
constexpr int kTries = 3;       // of what may have failed for a moment
constexpr int kReadTries = 20;  // while somebody else trims

std::string NameOf(int64_t number) { return fmt::format("{}{:020}", kFolder, number); }

// Nothing: not one of the log's objects.
std::optional<int64_t> NumberOf(std::string_view name) {
  name.remove_prefix(kFolder.size());
  if (name.size() != kDigits) return std::nullopt;
  int64_t number = 0;
  for (const char c : name) {
    if (c < '0' || c > '9' || number > INT64_MAX / 10 - 1) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

}  // namespace

NumberedLog::NumberedLog(std::shared_ptr<ObjectStorage> storage, uint64_t writer_id)
    : storage_(std::move(storage)), writer_id_(writer_id) {}

std::string NumberedLog::UriOf(int64_t number) const {
  return JoinUri(storage_->uri(), NameOf(number));
}

Result<std::vector<int64_t>> NumberedLog::ListNumbers() {
  WS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, storage_->List(kFolder));
  std::vector<int64_t> numbers;
  for (const ObjectInfo& object : objects) {
    if (const auto number = NumberOf(object.name)) numbers.push_back(*number);
  }
  return numbers;
}

Result<std::vector<NumberedLog::Entry>> NumberedLog::Read() {
  can_append_ = false;
  std::optional<int64_t> missing;
  for (int i = 0; i < kReadTries; ++i) {
    WS_ASSIGN_OR_RETURN(const std::vector<int64_t> numbers, ListNumbers());
    WS_ASSIGN_OR_RETURN(auto frames, TryRead(numbers, &missing));
    if (!frames) continue;
    std::vector<Entry> entries;
    newest_snapshot_ = 0;
    for (LogFrame& frame : *frames) {
      if (frame.is_snapshot) newest_snapshot_ = frame.number;
      entries.push_back({frame.number, frame.is_snapshot, std::move(frame.payload)});
    }
    next_ = frames->empty() ? 1 : frames->back().number + 1;
    last_checksum_ = frames->empty() ? 0 : frames->back().checksum;
    can_append_ = true;
    return entries;
  }
  if (missing) {
    return ExternalError(
        "entry {} is missing although there are later ones: bring it back, with "
        "the whole directory, from a backup",
        UriOf(*missing));
  }
  return TransientError(
      "the log in {} changed every time it was read: another JobManager writes to "
      "it; end one of the two",
      storage_->uri());
}

Result<std::optional<NumberedLog::Entry>> NumberedLog::ReadLast() {
  WS_ASSIGN_OR_RETURN(const std::vector<int64_t> numbers, ListNumbers());
  if (numbers.empty()) return std::nullopt;
  WS_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                      storage_->Get(NameOf(numbers.back())));
  if (!bytes) return TransientError("entry {} was deleted meanwhile", UriOf(numbers.back()));
  WS_ASSIGN_OR_RETURN(LogFrame frame, Decode(numbers.back(), *bytes));
  return Entry{frame.number, frame.is_snapshot, std::move(frame.payload)};
}

Result<LogFrame> NumberedLog::Decode(int64_t number, std::string_view bytes) const {
  auto frame = DecodeLogFrame(bytes);
  if (frame) return frame;
  return tl::make_unexpected(
      std::move(frame).error().Within(fmt::format("entry {}", UriOf(number))));
}

Result<std::optional<std::vector<LogFrame>>> NumberedLog::TryRead(
    const std::vector<int64_t>& numbers, std::optional<int64_t>* missing) {
  missing->reset();
  std::vector<LogFrame> frames;  // newest first
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    WS_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, storage_->Get(NameOf(*number)));
    if (!bytes) return std::nullopt;
    WS_ASSIGN_OR_RETURN(LogFrame frame, Decode(*number, *bytes));
    if (frame.number != *number ||
        (!frames.empty() && frames.back().previous_checksum != frame.checksum)) {
      return ExternalError(
          "entry {} is not the one that was written under this name: it says {} "
          "and the entry after it follows another",
          UriOf(*number), frame.number);
    }
    frames.push_back(std::move(frame));
    if (frames.back().is_snapshot || *number == 1) break;
    if (std::next(number) == numbers.rend() || *std::next(number) != *number - 1) {
      *missing = *number - 1;
      return std::nullopt;
    }
  }
  std::ranges::reverse(frames);
  return frames;
}

Result<bool> NumberedLog::Append(std::string payload, bool is_snapshot) {
  if (!std::exchange(can_append_, false)) {
    return InternalError("the log in {} must be read before it is appended to", storage_->uri());
  }
  LogFrame frame{.number = next_,
                 .is_snapshot = is_snapshot,
                 .writer = writer_id_,
                 .previous_checksum = last_checksum_,
                 .payload = std::move(payload)};
  const std::string bytes = EncodeLogFrame(frame);
  WS_ASSIGN_OR_RETURN(const bool is_ours, Place(NameOf(next_), bytes));
  if (!is_ours) return false;
  WS_ASSIGN_OR_RETURN(const bool counts, IsLast(next_));
  if (!counts) return false;
  if (is_snapshot) newest_snapshot_ = next_;
  last_checksum_ = frame.checksum;
  ++next_;
  can_append_ = true;
  return true;
}

Result<bool> NumberedLog::Place(const std::string& name, const std::string& bytes) {
  Result<bool> put = false;
  for (int i = 0; i < kTries; ++i) {
    put = storage_->PutIfAbsent(name, bytes);
    if (put && *put) return true;
    if (put) {
      // Taken: by another, or by an earlier try of ours whose answer was an error. Being told so
      // says that what is there is durable, which reading it after an error would not.
      const auto there = storage_->Get(name);
      if (there) return *there == bytes;
      put = tl::make_unexpected(there.error());
    }
    if (!put.error().retryable) break;
  }
  return put;
}

Result<bool> NumberedLog::IsLast(int64_t number) {
  Result<std::vector<int64_t>> numbers;
  for (int i = 0; i < kTries; ++i) {
    numbers = ListNumbers();
    if (numbers) break;
  }
  if (!numbers) return tl::make_unexpected(std::move(numbers).error());
  const auto own = std::ranges::find(*numbers, number);
  if (own == numbers->end() || std::next(own) != numbers->end()) return false;
  return number == 1 || (own != numbers->begin() && *std::prev(own) == number - 1);
}

Status NumberedLog::Trim() {
  WS_ASSIGN_OR_RETURN(const std::vector<int64_t> numbers, ListNumbers());
  for (const int64_t number : numbers) {
    if (number >= newest_snapshot_) break;
    WS_RETURN_IF_ERROR(storage_->Delete(NameOf(number)));
  }
  return Ok();
}

}  // namespace watershed
