// The answers that several routes give, and ids as they stand in paths and bodies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jobmanager/rest/http.h"
#include "jobmanager/rest/json_views.h"

namespace watershed {

HttpResponse JsonResponse(const Json& json, int status = 200);
// {"errors":["…"]}
HttpResponse ErrorResponse(int status, std::string_view message);

// 32 hexadecimal digits, as lower case: upper-case ones are the same id to Flink's clients.
std::optional<std::string> ParseHexId(std::string_view text);
// `what`: "a job id".
HttpResponse BadId(std::string_view text, std::string_view what);
HttpResponse UnknownJob(std::string_view id);

}  // namespace watershed
