#include "runtime/checkpoint/manifest.h"

#include <bit>
#include <cstring>
#include <limits>

#include "runtime/storage/content_hash.h"
#include "runtime/types/key_encoding.h"

namespace watershed {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "WSMANIF1";  // the digit changes when the framing does
constexpr size_t kHeaderBytes = 24;

uint64_t ReadWord(std::string_view bytes, size_t at) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + at, sizeof(word));
  return word;
}

void AppendWord(uint64_t word, std::string* out) {
  out->append(reinterpret_cast<const char*>(&word), sizeof(word));
}

Status CheckVersions(const v1::CheckpointManifest& manifest) {
  if (manifest.format_version() == 0 || manifest.format_version() > kManifestVersion) {
    return UserError(
        "its format version is {} and this version of Watershed reads up to {}: "
        "restore it with the version that wrote it, or a later one",
        manifest.format_version(), kManifestVersion);
  }
  if (manifest.key_encoding_version() != static_cast<uint32_t>(kKeyEncodingVersion)) {
    return UserError(
        "its keys are encoded by version {} and this version of Watershed reads "
        "version {}: restore it with the version that wrote it",
        manifest.key_encoding_version(), kKeyEncodingVersion);
  }
  return Ok();
}

}  // namespace

std::string EncodeManifest(const v1::CheckpointManifest& manifest) {
  const std::string message = manifest.SerializeAsString();
  std::string bytes(kMagic);
  AppendWord(message.size(), &bytes);
  AppendWord(ContentHash::Of(message), &bytes);
  return bytes + message;
}

Result<v1::CheckpointManifest> DecodeManifest(std::string_view bytes) {
  if (!bytes.starts_with(kMagic.substr(0, 7)) || bytes.size() < kMagic.size()) {
    return ExternalError("it does not begin like a manifest ({})", kMagic);
  }
  if (!bytes.starts_with(kMagic)) {
    return UserError(
        "its framing has version '{}' and this version of Watershed reads '1': "
        "restore it with the version that wrote it, or a later one",
        bytes.substr(7, 1));
  }
  if (bytes.size() < kHeaderBytes) return ExternalError("it is cut after {} bytes", bytes.size());
  const std::string_view message = bytes.substr(kHeaderBytes);
  if (const uint64_t size = ReadWord(bytes, 8); message.size() != size) {
    return ExternalError("it is damaged: {} bytes where it says {}", message.size(), size);
  }
  if (ContentHash::Of(message) != ReadWord(bytes, 16)) {
    return ExternalError("it is damaged: its checksum does not match");
  }
  v1::CheckpointManifest manifest;
  if (message.size() > std::numeric_limits<int32_t>::max() ||
      !manifest.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    return ExternalError("its content is no message that this version of Watershed can read");
  }
  WS_RETURN_IF_ERROR(CheckVersions(manifest));
  return manifest;
}

Result<v1::CheckpointManifest> ReadManifest(ObjectStorage& storage, std::string_view name,
                                            const StoredFile* expected) {
  const std::string where = fmt::format("manifest '{}'", JoinUri(storage.uri(), name));
  auto bytes = storage.Get(name);
  if (!bytes) return tl::make_unexpected(std::move(bytes).error().Within(where));
  if (!*bytes) return ExternalError("{}: it is not there", where);
  if (expected != nullptr) {
    const StoredFile found{expected->name, static_cast<int64_t>((*bytes)->size()),
                           ContentHash::Of(**bytes)};
    if (found != *expected) {
      return ExternalError(
          "{}: it is damaged: {} bytes with checksum {:016x}, where the log says {} "
          "and {:016x}",
          where, found.size_bytes, found.xxh3, expected->size_bytes, expected->xxh3);
    }
  }
  auto manifest = DecodeManifest(**bytes);
  if (!manifest) return tl::make_unexpected(std::move(manifest).error().Within(where));
  return manifest;
}

void ToProto(const StoredFile& file, v1::FileRef* out) {
  out->set_name(file.name);
  out->set_size_bytes(file.size_bytes);
  out->set_xxh3(file.xxh3);
}

StoredFile FromProto(const v1::FileRef& file) {
  return {file.name(), file.size_bytes(), file.xxh3()};
}

}  // namespace watershed
