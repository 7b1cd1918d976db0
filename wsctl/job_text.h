// A job as a page of text for people.
#pragma once

#include <cstdint>
#include <iosfwd>

#include "watershed/v1/control.pb.h"

namespace watershed {

void PrintJob(std::ostream& out, const v1::JobDetails& job, int64_t now_ms, bool wide);

}  // namespace watershed
