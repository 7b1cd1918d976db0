// The reference page of the configuration, docs/configuration.md.
#pragma once

#include <string>

namespace watershed {

std::string ConfigurationPage();  // Markdown

}  // namespace watershed
