#include "runtime/connectors/kafka/progress_marker.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace watershed {
namespace {
constexpr int kVersion = 1;
}

bool ProgressMarker::SaysTheSame(const ProgressMarker& other) const {
  return WriteProgress(*this) == WriteProgress(other);
}

std::string ProgressKey(const WriterId& writer) {
  return fmt::format("{}/{}", writer.sink, writer.writer);
}

std::string WriteProgress(const ProgressMarker& marker) {
  nlohmann::ordered_json json = {
      {"version", kVersion},         {"attempt", marker.attempt.value}, {"job", marker.job},
      {"epoch", marker.epoch.value}, {"by", marker.committed_by},
  };
  if (marker.begun.value >= 0) {
    json["begun"] = {{"epoch", marker.begun.value},
                     {"rows", marker.begun_rows},
                     {"by", marker.begun_by},
                     {"attempt", marker.begun_attempt.value}};
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<ProgressMarker> ReadProgress(std::string_view value) {
  try {
    const auto json = nlohmann::json::parse(value);
    if (const int version = json.at("version"); version != kVersion) {
      return UserError(
          "progress has version {}, this program knows version {}: a later version of Watershed "
          "has written to the target. Go on with that version",
          version, kVersion);
    }
    ProgressMarker marker;
    marker.attempt.value = json.at("attempt");
    marker.job = json.at("job");
    marker.epoch.value = json.at("epoch");
    marker.committed_by = json.at("by");
    if (const auto begun = json.find("begun"); begun != json.end()) {
      marker.begun.value = begun->at("epoch");
      marker.begun_rows = begun->at("rows");
      marker.begun_by = begun->at("by");
      marker.begun_attempt.value = begun->at("attempt");
    }
    return marker;
  } catch (const nlohmann::json::exception& e) {
    return UserError("'{}' is no progress of a sink ({}): somebody else wrote it",
                     value.substr(0, 200), e.what());
  }
}

}  // namespace watershed
