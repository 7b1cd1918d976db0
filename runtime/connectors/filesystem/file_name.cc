#include "runtime/connectors/filesystem/file_name.h"

#include <fmt/format.h>

#include <charconv>

namespace watershed {
namespace {

constexpr std::string_view kDirectory = ".watershed.";
constexpr std::string_view kMarker = ".committed.";

bool IsPlain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '-';
}

void AppendPart(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (IsPlain(c)) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
  }
}

bool Consume(std::string_view expected, std::string_view& text) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

// A number, and the dot behind it.
template <typename Number>
bool ConsumeNumber(std::string_view& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return Consume(".", text);
}

}  // namespace

std::string FilePrefix(const WriterId& writer) {
  std::string prefix;
  AppendPart(writer.sink, prefix);
  prefix.push_back('.');
  AppendPart(writer.lineage, prefix);
  return prefix + fmt::format(".{}.", writer.writer);
}

std::string FileName(std::string_view prefix, CheckpointId epoch, std::string_view extension) {
  return fmt::format("{}{}.{}", prefix, epoch.value, extension);
}

std::optional<CheckpointId> EpochOfFile(std::string_view name, std::string_view prefix) {
  CheckpointId epoch;
  if (!Consume(prefix, name) || !ConsumeNumber(name, epoch.value)) return std::nullopt;
  return epoch;
}

std::string FileName(std::string_view prefix, Attempt attempt, CheckpointId number,
                     std::string_view extension) {
  return fmt::format("{}{}-{}.{}", prefix, attempt.value, number.value, extension);
}

std::string DirectoryName(std::string_view prefix, const WriterOwner& owner) {
  std::string name = fmt::format("{}{}{}.", kDirectory, prefix, owner.attempt.value);
  AppendPart(owner.job, name);
  return name;
}

std::optional<WriterOwner> OwnerOfDirectory(std::string_view name, std::string_view prefix) {
  WriterOwner owner;
  if (!Consume(kDirectory, name) || !Consume(prefix, name)) return std::nullopt;
  if (!ConsumeNumber(name, owner.attempt.value)) return std::nullopt;
  owner.job = name;
  return owner;
}

std::string MarkerName(CheckpointId epoch, std::string_view job) {
  std::string name = fmt::format("{}{}.", kMarker, epoch.value);
  AppendPart(job, name);
  return name;
}

std::optional<FileMarker> MarkerOf(std::string_view name) {
  FileMarker marker;
  if (!Consume(kMarker, name) || !ConsumeNumber(name, marker.epoch.value)) return std::nullopt;
  marker.job = name;
  return marker;
}

}  // namespace watershed
