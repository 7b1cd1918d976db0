#include <string>

#include "tests/fuzz/targets.h"
#include "tests/unit/jobmanager/rest/fake_job_view.h"

namespace watershed::fuzz {

void RestRequest(std::string_view bytes) {
  const size_t line_end = std::min(bytes.find('\n'), bytes.size());
  const std::string_view line = bytes.substr(0, line_end);
  const size_t blank = std::min(line.find(' '), line.size());
  HttpRequest request;
  request.method = line.substr(0, blank);
  request.target = line.substr(std::min(blank + 1, line.size()));
  request.body = bytes.substr(std::min(line_end + 1, bytes.size()));
  FakeJobView view;
  const FixedClock clock;
  const RestApi api(&view, &clock, {.version = "0.1.0", .commit = "abc"});
  const HttpResponse answer = Answer(api, request);
  // Answered, and an exception inside would be a 500.
  Must(answer.status >= 200 && answer.status < 500);
}

}  // namespace watershed::fuzz
