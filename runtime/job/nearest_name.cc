#include "runtime/job/nearest_name.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace watershed {
namespace {

// Longer lists say less than a look into the documentation.
constexpr size_t kMaxListedNames = 24;

std::string Lowercase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// "earliest" of "earliest-offset".
std::string_view OnlyBeginning(std::string_view wanted,
                               std::span<const std::string_view> candidates) {
  constexpr size_t kShortest = 3;
  std::string_view only;
  for (std::string_view candidate : candidates) {
    if (wanted.size() < kShortest || !Lowercase(candidate).starts_with(wanted)) continue;
    if (!only.empty()) return {};
    only = candidate;
  }
  return only;
}

}  // namespace

int EditDistance(std::string_view a, std::string_view b) {
  const size_t width = b.size() + 1;
  std::vector<std::vector<int>> cost(a.size() + 1, std::vector<int>(width));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = static_cast<int>(i);
  for (size_t j = 0; j < width; ++j) cost[0][j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j < width; ++j) {
      const int replace = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

std::string_view NearestName(std::string_view name, std::span<const std::string_view> candidates) {
  constexpr size_t kLongestName = 256;  // of nonsense the distance is not worth computing
  if (name.size() > kLongestName) return {};
  const std::string wanted = Lowercase(name);
  std::string_view best;
  int best_distance = std::max<int>(1, static_cast<int>(name.size()) / 3) + 1;
  for (std::string_view candidate : candidates) {
    if (candidate.size() > kLongestName) continue;
    const int distance = EditDistance(wanted, Lowercase(candidate));
    // To one letter any other letter is near.
    if (distance >= static_cast<int>(std::max(name.size(), candidate.size()))) continue;
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best.empty() ? OnlyBeginning(wanted, candidates) : best;
}

std::string Suggestion(std::string_view name, std::span<const std::string_view> candidates) {
  const std::string_view nearest = NearestName(name, candidates);
  if (!nearest.empty()) return fmt::format(", did you mean '{}'?", nearest);
  if (candidates.empty()) return "";
  std::vector<std::string_view> sorted(candidates.begin(), candidates.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const bool cut = sorted.size() > kMaxListedNames;
  if (cut) sorted.resize(kMaxListedNames);
  return fmt::format("; expected {}{}{}", sorted.size() == 1 ? "" : "one of ",
                     fmt::join(sorted, ", "), cut ? ", …" : "");
}

}  // namespace watershed
