// The web page's files (web-ui/), compiled into the program.
#pragma once

#include <string_view>

namespace watershed {

struct WebAsset {
  std::string_view content_type;
  std::string_view content;
};

const WebAsset& IndexHtml();
const WebAsset& AppJs();
const WebAsset& StyleCss();

}  // namespace watershed
