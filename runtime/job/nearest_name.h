// The name somebody probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace watershed {

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment, Damerau
// 1964) that turn one into the other.
int EditDistance(std::string_view a, std::string_view b);

// The candidate nearest to `name`, upper and lower case being the same, or the only one that begins
// with it; empty if none is near (more than a third of the letters differ).
std::string_view NearestName(std::string_view name, std::span<const std::string_view> candidates);

// The end of a message about an unknown name: ", did you mean 'gap'?", else "; expected one of gap,
// key", else (no candidates) nothing.
std::string Suggestion(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace watershed
