// HTTP as the route table sees it: no Beast header here.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watershed {

struct HttpRequest {
  std::string method;  // upper case: "GET", "PATCH"
  std::string target;  // path and query as sent: "/v1/jobs/0a…?mode=cancel"
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json; charset=UTF-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // besides the usual ones
};

// Answers one request: on any thread, at once or later, also when its connection or the server has
// gone meanwhile. Only the first call counts.
using HttpResponder = std::function<void(HttpResponse)>;

// A target taken apart: path segments and query parameters, percent-decoded.
struct RequestTarget {
  std::vector<std::string> segments;  // "/jobs/x" → {"jobs", "x"}; empty segments are dropped
  std::vector<std::pair<std::string, std::string>> query;
};

// False when the target is not an absolute path or holds a wrong %-sequence.
bool ParseTarget(std::string_view target, RequestTarget& out);

}  // namespace watershed
