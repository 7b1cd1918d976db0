#include "runtime/checkpoint/layout.h"

#include <fmt/format.h>

#include <charconv>

namespace watershed {
namespace {

constexpr std::string_view kManifestPrefix = "chk-";
constexpr std::string_view kSharedPrefix = "shared/";
constexpr std::string_view kManifestFile = "_metadata";
constexpr std::string_view kSavepointPrefix = "savepoint-";
constexpr size_t kJobDigits = 6;  // as in Flink
constexpr size_t kOperationDigits = 8;

// Takes a number written as we write it (no sign, no leading zero) and `end` off the text.
template <typename Number>
std::optional<Number> TakeNumber(std::string_view* text, std::string_view end) {
  Number number = 0;
  const char* const last = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), last, number);
  if (error != std::errc() || text->front() == '-') return std::nullopt;
  if (text->front() == '0' && stop != text->data() + 1) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(stop - text->data()));
  if (!text->starts_with(end)) return std::nullopt;
  text->remove_prefix(end.size());
  return number;
}

// "chk-7-2/_metadata" -> 2.
std::optional<Attempt> AttemptOfManifest(std::string_view name) {
  name.remove_prefix(kManifestPrefix.size());
  if (!TakeNumber<int64_t>(&name, "-")) return std::nullopt;
  const auto attempt = TakeNumber<int32_t>(&name, "/");
  if (!attempt || name != kManifestFile) return std::nullopt;
  return Attempt{*attempt};
}

}  // namespace

std::string ManifestName(CheckpointId checkpoint, Attempt attempt) {
  return fmt::format("{}{}-{}/{}", kManifestPrefix, checkpoint.value, attempt.value, kManifestFile);
}

std::string ManifestPrefix() { return std::string(kManifestPrefix); }

std::string SavepointManifestName() { return std::string(kManifestFile); }

std::string SavepointPath(std::string_view directory, const JobId& job, CheckpointId checkpoint,
                          std::string_view operation_id) {
  while (directory.size() > 1 && directory.ends_with('/')) directory.remove_suffix(1);
  return fmt::format("{}/{}{}-{}-{}", directory, kSavepointPrefix, job.hex.substr(0, kJobDigits),
                     checkpoint.value, operation_id.substr(0, kOperationDigits));
}

std::string SharedPrefix(Attempt attempt, std::string_view vertex_id, SubtaskIndex subtask,
                         std::string_view unique) {
  return fmt::format("{}{}-{}-{}-{}", kSharedPrefix, attempt.value, vertex_id, subtask.value,
                     unique);
}

std::optional<Attempt> AttemptOfFile(std::string_view name) {
  if (name.starts_with(kManifestPrefix)) return AttemptOfManifest(name);
  if (!name.starts_with(kSharedPrefix)) return std::nullopt;
  name.remove_prefix(kSharedPrefix.size());
  const auto attempt = TakeNumber<int32_t>(&name, "-");
  if (!attempt) return std::nullopt;
  return Attempt{*attempt};
}

Result<RestorePath> ParseRestorePath(std::string_view path) {
  std::string_view rest = path;
  const auto drop_slashes = [&rest] {
    while (rest.size() > 1 && rest.ends_with('/')) rest.remove_suffix(1);
  };
  drop_slashes();
  if (rest.ends_with(kManifestFile)) rest.remove_suffix(kManifestFile.size());
  drop_slashes();
  const size_t slash = rest.rfind('/');
  if (slash != rest.npos && slash > 0 && rest.substr(slash + 1).starts_with(kSavepointPrefix)) {
    return RestorePath{std::string(rest), SavepointManifestName()};
  }
  const std::string manifest =
      fmt::format("{}/{}", slash == rest.npos ? rest : rest.substr(slash + 1), kManifestFile);
  if (slash == rest.npos || slash == 0 || !manifest.starts_with(kManifestPrefix) ||
      !AttemptOfManifest(manifest)) {
    return UserError(
        "'{}' is no checkpoint or savepoint: name the directory of one, such as "
        "file:///checkpoints/<job id>/chk-7-2 (`wsctl get` shows it as the path of "
        "the latest completed checkpoint) or file:///savepoints/savepoint-…",
        path);
  }
  return RestorePath{std::string(rest.substr(0, slash)), manifest};
}

Result<SavepointPlace> ParseSavepointPath(std::string_view path) {
  WS_ASSIGN_OR_RETURN(const RestorePath where, ParseRestorePath(path));
  if (where.manifest != kManifestFile) {
    return UserError("{} is a checkpoint of a job, not a savepoint: its job deletes it", path);
  }
  const size_t slash = where.directory.rfind('/');
  return SavepointPlace{where.directory.substr(0, slash), where.directory.substr(slash + 1)};
}

}  // namespace watershed
