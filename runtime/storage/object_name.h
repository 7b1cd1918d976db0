// What objects may be called, the same in every storage, so that a name that works in one works in
// all of them.
#pragma once

#include <cstddef>
#include <string_view>

#include "runtime/types/result.h"

namespace watershed {

// A file system allows 255; the rest is for the names of temporary files.
inline constexpr size_t kMaxNameComponentBytes = 200;
inline constexpr size_t kMaxNameBytes = 1000;

// Components of [A-Za-z0-9._-] joined by '/', none of them empty, "." or "..". Anything else is an
// internal error: names are made by us.
Status CheckObjectName(std::string_view name);
// The beginning of such a name; may be empty, and may end within a component or with a '/'.
Status CheckObjectPrefix(std::string_view prefix);

}  // namespace watershed
