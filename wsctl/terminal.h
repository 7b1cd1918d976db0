// What is drawn on a terminal fits it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/job/compile.h"

namespace watershed {

// Of the window at standard output, as it is now, unless the environment says COLUMNS. 0: not
// known.
size_t TerminalColumns(const Variables& environment);

// Every line of the text cut to so many UTF-8 code points, of which the last is "…" then.
// 0: as it is.
std::string ClipLines(std::string_view text, size_t columns);

}  // namespace watershed
