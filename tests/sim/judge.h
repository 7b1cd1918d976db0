// Compares what can be seen in the target with what the rows must give.
#pragma once

#include "tests/sim/observer.h"
#include "tests/sim/scenario.h"

namespace watershed::sim {

// The rows that have passed through alone.
void JudgeRows(const Scenario& scenario, const Outside& outside, Observer& observer);
// No row may be there twice.
void Judge(const Scenario& scenario, const Outside& outside, Observer& observer);

}  // namespace watershed::sim
