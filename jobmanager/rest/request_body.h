// The JSON object in a request's body, read strictly, as Flink does: what is not known or has
// another type is an error that names the field, and never ignored.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "jobmanager/rest/json_views.h"
#include "runtime/types/result.h"

namespace watershed {

// A field that is null is one that is absent. All errors are the user's.
class RequestBody {
 public:
  // `known`: the fields that there may be. An empty body is an empty object.
  static Result<RequestBody> Parse(std::string_view text,
                                   std::initializer_list<std::string_view> known);
  RequestBody(RequestBody&&) noexcept;
  RequestBody& operator=(RequestBody&&) noexcept;
  ~RequestBody();

  // Empty: absent.
  Result<std::string> Text(std::string_view field) const;
  Result<std::string> OneOf(std::string_view field,
                            std::initializer_list<std::string_view> choices) const;
  Result<std::string> HexId(std::string_view field) const;
  Result<bool> Flag(std::string_view field) const;  // absent: false

 private:
  explicit RequestBody(std::unique_ptr<Json> json);
  const Json* Find(std::string_view field) const;  // null: absent
  std::unique_ptr<Json> json_;                     // an object
};

}  // namespace watershed
