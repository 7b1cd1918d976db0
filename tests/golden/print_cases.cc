// Prints every case of the suite as one JSON array, for tests that run the same jobs elsewhere.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tests/golden/golden_case.h"

namespace watershed::golden {
namespace {

using Json = nlohmann::ordered_json;

// Scalars stay text, as the job file has them.
Json ToJson(const YAML::Node& node) {
  if (node.IsMap()) {
    Json object = Json::object();
    for (const auto& field : node) object[field.first.as<std::string>()] = ToJson(field.second);
    return object;
  }
  if (node.IsSequence()) {
    Json array = Json::array();
    for (const auto& element : node) array.push_back(ToJson(element));
    return array;
  }
  return node.IsNull() ? Json() : Json(node.as<std::string>());
}

Json ToJson(const GoldenCase& golden) {
  return {{"name", golden.name},         {"job", ToJson(YAML::Load(golden.job))},
          {"input", golden.input},       {"rows", golden.rows},
          {"late", golden.late},         {"skipped", golden.skipped},
          {"portions", golden.portions}, {"fails", golden.fails ? Json(*golden.fails) : Json()}};
}

}  // namespace
}  // namespace watershed::golden

int main() {
  try {
    watershed::golden::Json cases = watershed::golden::Json::array();
    for (const auto& golden : watershed::golden::LoadCases()) {
      cases.push_back(watershed::golden::ToJson(golden));
    }
    std::cout << cases.dump() << "\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
