// Which build this is: `wsctl version`, /overview, the start-up line of every process.
#pragma once

#include <string_view>

namespace watershed {

// The project's version: "0.1.0".
std::string_view BuildVersion();
// The commit it was configured from, abbreviated; "unknown" outside a git checkout.
std::string_view BuildCommit();

}  // namespace watershed
