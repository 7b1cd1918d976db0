// Scripts by which shells complete wsctl's command line; made from its definition.
#pragma once

#include <string>
#include <string_view>

#include "wsctl/definition/model.h"

namespace watershed {

// `shell`: "bash", "zsh" or "fish". Jobs and TaskManagers are asked for with `wsctl candidates`.
std::string CompletionScript(const CommandModel& wsctl, std::string_view shell);

}  // namespace watershed
