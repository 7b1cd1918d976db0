#include "tests/golden/golden_case.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "tests/golden/many_keys.h"

namespace watershed::golden {
namespace {

Lines SplitLines(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

GoldenCase Load(const std::filesystem::path& path) {
  const YAML::Node file = YAML::LoadFile(path.string());
  for (const auto& field : file) {
    const auto name = field.first.as<std::string>();
    if (name != "about" && name != "job" && name != "input" && name != "expect") {
      throw std::runtime_error("unknown field '" + name + "'");
    }
  }
  GoldenCase golden;
  golden.name = path.stem().string();
  golden.job = file["job"].as<std::string>();
  for (const auto& source : file["input"]) {
    auto& partitions = golden.input[source.first.as<std::string>()];
    for (const auto& partition : source.second) {
      partitions.push_back(SplitLines(partition.as<std::string>()));
    }
  }
  const YAML::Node expect = file["expect"];
  for (const auto& sink : expect["rows"]) {
    golden.rows[sink.first.as<std::string>()] =
        Normalised(SplitLines(sink.second.as<std::string>()));
  }
  golden.late = expect["late"].as<int64_t>(0);
  golden.skipped = expect["skipped"].as<int64_t>(0);
  golden.order_matters = expect["order-matters"].as<bool>(golden.late > 0);
  if (expect["fails"]) golden.fails = expect["fails"].as<std::string>();
  return golden;
}

}  // namespace

Lines Normalised(const Lines& json_lines) {
  Lines normalised;
  for (const std::string& line : json_lines) {
    normalised.push_back(nlohmann::json::parse(line).dump());
  }
  std::sort(normalised.begin(), normalised.end());
  return normalised;
}

std::vector<GoldenCase> LoadCases() {
  std::vector<GoldenCase> cases = {ManyKeysInSessions(), ManyKeysWithLateRows()};
  for (const auto& entry : std::filesystem::directory_iterator(WATERSHED_GOLDEN_CASES)) {
    if (entry.path().extension() != ".yaml") continue;
    try {
      cases.push_back(Load(entry.path()));
    } catch (const std::exception& e) {
      throw std::runtime_error(entry.path().string() + ": " + e.what());
    }
  }
  std::sort(cases.begin(), cases.end(),
            [](const GoldenCase& a, const GoldenCase& b) { return a.name < b.name; });
  return cases;
}

}  // namespace watershed::golden
