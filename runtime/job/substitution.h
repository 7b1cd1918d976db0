// ${NAME}, ${NAME:default} and ${file:/path} in the scalars of a job file. `$${` stands for `${`.
//
// A default is taken when the variable is unset or empty; a default ends at the first `}`. A
// variable that is empty and has no default is an error: write ${NAME:} where empty is meant.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/result.h"

namespace watershed {

// A letter or '_', then letters, digits and '_'.
bool IsVariableName(std::string_view name);

struct SubstitutionContext {
  const std::map<std::string, std::string, std::less<>>* variables = nullptr;
  std::function<Result<std::string>(const std::string& path)> read_file;  // may be absent
};

struct SubstitutedText {
  std::string value;
  bool substituted = false;         // there was at least one reference
  bool from_file = false;           // part of the value came from a ${file:…}
  std::vector<std::string> errors;  // what could not be filled in; `value` is then of no use
};

SubstitutedText Substitute(std::string_view text, const SubstitutionContext& context);

}  // namespace watershed
