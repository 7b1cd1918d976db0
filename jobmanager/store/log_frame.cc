#include "jobmanager/store/log_frame.h"

#include <bit>
#include <cstring>

#include "runtime/storage/content_hash.h"

namespace watershed {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "WSLOGENT";
constexpr uint32_t kSnapshotFlag = 1;

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t flags;
  int64_t number;
  uint64_t writer;
  uint64_t previous_checksum;
  uint64_t payload_bytes;
  uint64_t checksum;
};
static_assert(sizeof(Header) == 56);

uint64_t ChecksumOf(const Header& header, std::string_view payload) {
  ContentHash hash;
  hash.Update({reinterpret_cast<const char*>(&header), offsetof(Header, checksum)});
  hash.Update(payload);
  return hash.Digest();
}

}  // namespace

std::string EncodeLogFrame(LogFrame& frame) {
  Header header{.version = kLogFrameVersion,
                .flags = frame.is_snapshot ? kSnapshotFlag : 0,
                .number = frame.number,
                .writer = frame.writer,
                .previous_checksum = frame.previous_checksum,
                .payload_bytes = frame.payload.size()};
  std::memcpy(header.magic, kMagic.data(), kMagic.size());
  header.checksum = frame.checksum = ChecksumOf(header, frame.payload);
  return std::string(reinterpret_cast<const char*>(&header), sizeof(header)) + frame.payload;
}

Result<LogFrame> DecodeLogFrame(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) {
    return ExternalError("it does not begin like an entry of the log ({})", kMagic);
  }
  if (bytes.size() < sizeof(Header)) return ExternalError("it is cut after {} bytes", bytes.size());
  Header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.version != kLogFrameVersion) {
    return UserError(
        "its version is {} and this version of Watershed reads {}: start the version "
        "that wrote it, or a later one",
        header.version, kLogFrameVersion);
  }
  const std::string_view payload = bytes.substr(sizeof(header));
  if (payload.size() != header.payload_bytes) {
    return ExternalError("it is damaged: {} bytes follow its header where it says {}",
                         payload.size(), header.payload_bytes);
  }
  if (ChecksumOf(header, payload) != header.checksum || (header.flags & ~kSnapshotFlag) != 0) {
    return ExternalError("it is damaged: its checksum does not match");
  }
  return LogFrame{.number = header.number,
                  .is_snapshot = header.flags == kSnapshotFlag,
                  .writer = header.writer,
                  .previous_checksum = header.previous_checksum,
                  .checksum = header.checksum,
                  .payload = std::string(payload)};
}

}  // namespace watershed
