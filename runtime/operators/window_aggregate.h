// Tumbling and session window aggregates over keyed state: WindowAggregateExec (rows) and
// GlobalWindowAggregate (partials) of the plan.
//
// A key's entry holds its open windows (open_windows.h) and has one timer, at the earliest end. A
// window fires when watermark >= end - 1; a row whose window would already have fired, after
// merging with the open sessions that it touches, is late: counted and dropped, or sent unchanged
// to the side output "late". The watermark is state.
#pragma once

#include <memory>

#include "runtime/operators/operator.h"
#include "runtime/operators/window_spec.h"

namespace watershed {

std::unique_ptr<Operator> MakeWindowAggregate(WindowSpec spec, WindowInput kind);

}  // namespace watershed
