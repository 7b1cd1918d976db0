// One case of the golden suite, as its YAML file says (README.md describes the fields).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace watershed::golden {

using Lines = std::vector<std::string>;

struct GoldenCase {
  std::string name;                                 // the file's, without ".yaml"
  std::string job;                                  // the text of the job file
  std::map<std::string, std::vector<Lines>> input;  // source -> partition -> payloads
  std::map<std::string, Lines> rows;                // sink -> expected rows, normalised and sorted
  int64_t late = 0;
  int64_t skipped = 0;
  std::optional<std::string> fails;  // the job must fail with a message that contains this
  // Late rows depend on which watermark has come before them: such a case is run record by record
  // only.
  bool order_matters = false;
  // Not 0: fed to a cluster in so many equal parts, not record by record; the rows must not depend
  // on the watermarks within one.
  int64_t portions = 0;
};

// Every case there is, those of many_keys.h too; throws with file and reason when one cannot be
// read.
std::vector<GoldenCase> LoadCases();

// JSON objects, one a line, with sorted keys and without blanks; sorted.
Lines Normalised(const Lines& json_lines);

}  // namespace watershed::golden
