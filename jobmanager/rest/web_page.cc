#include "jobmanager/rest/web_page.h"

namespace watershed {

// Written by cmake/EmbedFiles.cmake.
extern const std::string_view kIndexHtml;
extern const std::string_view kAppJs;
extern const std::string_view kStyleCss;

const WebAsset& IndexHtml() {
  static const WebAsset asset{"text/html; charset=UTF-8", kIndexHtml};
  return asset;
}

const WebAsset& AppJs() {
  static const WebAsset asset{"text/javascript; charset=UTF-8", kAppJs};
  return asset;
}

const WebAsset& StyleCss() {
  static const WebAsset asset{"text/css; charset=UTF-8", kStyleCss};
  return asset;
}

}  // namespace watershed
