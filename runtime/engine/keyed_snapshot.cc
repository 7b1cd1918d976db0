// The file: per section the sizes of name and content (4 + 8 bytes, little-endian), both, and so
// on.
#include "runtime/engine/keyed_snapshot.h"

#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "runtime/engine/stored_bytes.h"

namespace watershed {
namespace {

using Sections = std::map<std::string, std::vector<std::string>, std::less<>>;

struct SectionHeader {
  uint64_t content_size;
  uint32_t name_size;
};
constexpr size_t kHeaderBytes = 12;

void AppendSection(std::string_view name, std::string_view content, std::string& out) {
  const SectionHeader header{content.size(), static_cast<uint32_t>(name.size())};
  out.append(reinterpret_cast<const char*>(&header), kHeaderBytes);
  out.append(name).append(content);
}

Status ParseSections(const StoredFile& file, std::string_view bytes, Sections& out) {
  while (!bytes.empty()) {
    SectionHeader header;
    if (bytes.size() < kHeaderBytes) return InternalError("'{}' ends in a section", file.name);
    std::memcpy(&header, bytes.data(), kHeaderBytes);
    bytes.remove_prefix(kHeaderBytes);
    if (bytes.size() < header.name_size || bytes.size() - header.name_size < header.content_size) {
      return InternalError("'{}' ends in a section", file.name);
    }
    out[std::string(bytes.substr(0, header.name_size))].emplace_back(
        bytes.substr(header.name_size, header.content_size));
    bytes.remove_prefix(header.name_size + header.content_size);
  }
  return Ok();
}

}  // namespace

Status KeyedSnapshot::Freeze(std::function<Status(Result<KeyedFiles>)> done) {
  std::string bytes;
  WS_RETURN_IF_ERROR(state_->Snapshot([&bytes](std::string_view section, std::string_view content) {
    AppendSection(section, content, bytes);
    return Ok();
  }));
  if (bytes.empty()) return done(KeyedFiles{});
  BackgroundWriter writer(*target_, fmt::format("{}-{}", target_->name_prefix, next_file_++));
  writer.Append(std::move(bytes));
  writer.Finish([done = std::move(done)](Result<StoredFile> file) {
    if (!file) return done(tl::make_unexpected(std::move(file).error()));
    const int64_t size_bytes = file->size_bytes;
    return done(KeyedFiles{{std::move(*file)}, size_bytes});
  });
  return Ok();
}

bool KeyedSnapshot::WriteFrozen(int64_t) { return false; }

Status KeyedSnapshot::Restore(KeyedState& state, const std::vector<KeyedFiles>& former,
                              ObjectStorage& storage) {
  Sections sections;
  for (const KeyedFiles& part : former) {
    for (const StoredFile& file : part.files) {
      WS_ASSIGN_OR_RETURN(const std::string bytes, ReadStored(storage, file));
      WS_RETURN_IF_ERROR(ParseSections(file, bytes, sections));
    }
  }
  return state.Restore([&sections](std::string_view section) {
    const auto found = sections.find(section);
    return found == sections.end() ? std::vector<std::string>() : found->second;
  });
}

}  // namespace watershed
