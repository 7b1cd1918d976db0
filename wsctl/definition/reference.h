// The reference page of the command line, docs/command-line.md.
#pragma once

#include <string>

#include "wsctl/definition/model.h"

namespace watershed {

std::string ReferencePage(const CommandModel& wsctl);  // Markdown

}  // namespace watershed
