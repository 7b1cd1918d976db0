// How CSV is written, and the options that say so.
#pragma once

#include <string>
#include <vector>

#include "runtime/types/option_spec.h"
#include "runtime/types/result.h"

namespace watershed {

struct CsvStyle {
  char delimiter = ',';
  char quote = '"';
  std::string null_literal;  // without delimiter, quote or line's end
};

std::vector<OptionSpec> CsvOptions();
// What is wrong with values and with their combination; empty: nothing.
std::vector<OptionProblem> CheckCsvOptions(const OptionMap& options);
// A user error where CheckCsvOptions has a problem.
Result<CsvStyle> ParseCsvStyle(const OptionMap& options);

}  // namespace watershed
