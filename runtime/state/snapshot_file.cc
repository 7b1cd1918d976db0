#include "runtime/state/snapshot_file.h"

#include <bit>
#include <cstring>

#include "runtime/storage/content_hash.h"

namespace watershed {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "WSSTATE";
constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderBytes = 24;
constexpr size_t kChunkHeaderBytes = 24;
constexpr size_t kDirectoryEntryBytes = 12;

template <typename Number>
void AppendNumber(Number number, std::string& out) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

template <typename Number>
Number NumberAt(std::string_view bytes, size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

void AppendVarint(uint64_t number, std::string& out) {
  while (number >= 0x80) {
    out.push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  out.push_back(static_cast<char>(number));
}

bool TakeVarint(std::string_view& bytes, uint64_t& number) {
  number = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    number |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// False: the bytes are no row.
bool TakeRow(std::string_view& bytes, SnapshotRow& row) {
  uint64_t key_size = 0, form = 0;
  if (!TakeVarint(bytes, key_size) || !TakeVarint(bytes, form)) return false;
  row.deleted = form == 0;
  row.timer_ms = kNoTimer;
  uint64_t value_size = 0;
  if (form != 0) {
    value_size = (form - 1) >> 1;
    if ((form - 1) & 1) {
      if (bytes.size() < sizeof row.timer_ms) return false;
      row.timer_ms = NumberAt<TimestampMs>(bytes, 0);
      bytes.remove_prefix(sizeof row.timer_ms);
    }
  }
  if (key_size > bytes.size() || value_size > bytes.size() - key_size) return false;
  row.key = bytes.substr(0, key_size);
  row.value = bytes.substr(key_size, value_size);
  bytes.remove_prefix(key_size + value_size);
  return true;
}

}  // namespace

std::string EncodeSnapshotFileHeader(const SnapshotFileHeader& header) {
  std::string out(kMagic);
  out.push_back(static_cast<char>(kVersion));
  AppendNumber(header.max_parallelism, out);
  AppendNumber(header.key_groups.first, out);
  AppendNumber(header.key_groups.last, out);
  AppendNumber(static_cast<uint32_t>(ContentHash::Of(out)), out);
  return out;
}

void SnapshotChunk::Append(const SnapshotRow& row) {
  const size_t begin = rows_.size();
  AppendVarint(row.key.size(), rows_);
  if (row.deleted) {
    AppendVarint(0, rows_);
    rows_.append(row.key);
  } else {
    const bool has_timer = row.timer_ms != kNoTimer;
    AppendVarint(1 + (uint64_t{row.value.size()} << 1 | (has_timer ? 1U : 0U)), rows_);
    if (has_timer) AppendNumber(row.timer_ms, rows_);
    rows_.append(row.key).append(row.value);
  }
  order_.push_back(
      {static_cast<uint32_t>(row.group.value - key_groups_.first), rows_.size() - begin});
}

// A counting sort by key group.
std::string SnapshotChunk::Close() {
  std::vector<uint64_t> group_bytes(static_cast<size_t>(key_groups_.size()));
  for (const Row& row : order_) group_bytes[row.group] += row.size;
  std::string directory;
  std::vector<size_t> next(group_bytes.size());
  size_t at = 0;
  for (size_t i = 0; i < group_bytes.size(); ++i) {
    next[i] = at;
    at += group_bytes[i];
    if (group_bytes[i] == 0) continue;
    AppendNumber(static_cast<uint32_t>(key_groups_.first) + static_cast<uint32_t>(i), directory);
    AppendNumber(group_bytes[i], directory);
  }
  std::string out;
  out.reserve(kChunkHeaderBytes + directory.size() + rows_.size());
  AppendNumber(uint64_t{0}, out);  // the hash, below
  AppendNumber(uint64_t{directory.size() + rows_.size()}, out);
  AppendNumber(uint64_t{directory.size() / kDirectoryEntryBytes}, out);
  out.append(directory);
  const size_t rows_begin = out.size();
  out.resize(rows_begin + rows_.size());
  const char* from = rows_.data();
  for (const Row& row : order_) {
    std::memcpy(out.data() + rows_begin + next[row.group], from, row.size);
    next[row.group] += row.size;
    from += row.size;
  }
  const uint64_t hash = ContentHash::Of(std::string_view(out).substr(sizeof(uint64_t)));
  std::memcpy(out.data(), &hash, sizeof hash);
  rows_.clear();
  order_.clear();
  return out;
}

tl::unexpected<Error> SnapshotFileReader::Damaged(std::string_view why) const {
  return DamagedFile(
      name_, fmt::format("keyed state: chunk {} of the snapshot file '{}' is damaged: {}", number_,
                         name_, why));
}

Result<SnapshotFileReader> SnapshotFileReader::Open(std::string_view name, ObjectReader& file) {
  const auto message = [&](std::string_view why) {
    return fmt::format("keyed state: the snapshot file '{}' cannot be read: {}", name, why);
  };
  SnapshotFileReader reader(name, file);
  WS_ASSIGN_OR_RETURN(const bool whole, reader.ReadMore(kHeaderBytes));
  const std::string_view bytes = reader.chunk();
  if (!whole || !bytes.starts_with(kMagic)) {
    return DamagedFile(name, message("it does not begin like one"));
  }
  const auto version = static_cast<uint8_t>(bytes[kMagic.size()]);
  if (version != kVersion) {
    return UserError(
        "{}", message(fmt::format("its format version is {} and this version of Watershed reads "
                                  "{}: restore it with the version that wrote it, or a later one",
                                  version, kVersion)));
  }
  constexpr size_t kCheckAt = kHeaderBytes - sizeof(uint32_t);
  if (NumberAt<uint32_t>(bytes, kCheckAt) !=
      static_cast<uint32_t>(ContentHash::Of(bytes.substr(0, kCheckAt)))) {
    return DamagedFile(name, message("its header is damaged"));
  }
  reader.header_.max_parallelism = NumberAt<int32_t>(bytes, 8);
  reader.header_.key_groups = {NumberAt<int32_t>(bytes, 12), NumberAt<int32_t>(bytes, 16)};
  return reader;
}

Result<bool> SnapshotFileReader::ReadMore(uint64_t size) {
  if (size > left_) return false;  // before anything is allocated
  const size_t begin = chunk_.size();
  chunk_.resize(begin + size);
  WS_ASSIGN_OR_RETURN(const size_t read, file_->Read({chunk_.data() + begin, size}));
  left_ -= size;
  return read == size;
}

Result<bool> SnapshotFileReader::NextChunk() {
  if (left_ == 0) return false;
  ++number_;
  chunk_.clear();
  WS_ASSIGN_OR_RETURN(const bool has_header, ReadMore(kChunkHeaderBytes));
  if (!has_header) return Damaged("the file ends within its header");
  const auto body_size = NumberAt<uint64_t>(chunk(), 8);
  WS_ASSIGN_OR_RETURN(const bool has_body, ReadMore(body_size));
  if (!has_body) return Damaged("the file ends within it");
  if (NumberAt<uint64_t>(chunk(), 16) > body_size / kDirectoryEntryBytes) {
    return Damaged("its directory is longer than itself");
  }
  if (NumberAt<uint64_t>(chunk(), 0) != ContentHash::Of(chunk().substr(sizeof(uint64_t)))) {
    return Damaged("its checksum differs");
  }
  return true;
}

Status SnapshotFileReader::ForEachRow(KeyGroupRange groups, const Visit& visit) const {
  const size_t directory_size = NumberAt<uint64_t>(chunk(), 16) * kDirectoryEntryBytes;
  std::string_view directory = chunk().substr(kChunkHeaderBytes, directory_size);
  std::string_view rows = chunk().substr(kChunkHeaderBytes + directory_size);
  for (; !directory.empty(); directory.remove_prefix(kDirectoryEntryBytes)) {
    const auto group = NumberAt<int32_t>(directory, 0);
    const auto size = NumberAt<uint64_t>(directory, 4);
    if (size > rows.size()) return Damaged("its directory names more rows than it has");
    if (groups.Contains({group})) {
      WS_RETURN_IF_ERROR(VisitRows({group}, rows.substr(0, size), visit));
    }
    rows.remove_prefix(size);
  }
  return rows.empty() ? Ok() : Damaged("it has rows that its directory does not name");
}

Status SnapshotFileReader::VisitRows(KeyGroup group, std::string_view rows,
                                     const Visit& visit) const {
  SnapshotRow row;
  row.group = group;
  while (!rows.empty()) {
    if (!TakeRow(rows, row))
      return Damaged(fmt::format("a row of key group {} is none", group.value));
    WS_RETURN_IF_ERROR(visit(row));
  }
  return Ok();
}

}  // namespace watershed
