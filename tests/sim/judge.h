// Compares what can be seen in the target with what the rows must give.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tests/sim/observer.h"
#include "tests/sim/scenario.h"

namespace watershed::sim {

// Of a row of a sink, as text.
std::vector<std::string_view> Cells(std::string_view row);
int64_t Number(std::string_view text);

// The rows that have passed through alone.
void JudgeRows(const Scenario& scenario, const Outside& outside, Observer& observer);
// No row may be there twice.
void Judge(const Scenario& scenario, const Outside& outside, Observer& observer);

}  // namespace watershed::sim
