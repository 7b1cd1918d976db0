#include "jobmanager/rest/rest_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fake_job_view.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RestApiTest : public testing::Test {
 protected:
  HttpResponse Call(const std::string& method, const std::string& target) {
    return Answer(api_, {.method = method, .target = target, .body = {}});
  }

  FakeJobView view_;
  FixedClock clock_;
  RestApi api_{&view_, &clock_, BuildInfo{.version = "0.1.0", .commit = "abc"}};
};

TEST_F(RestApiTest, EveryRouteHasItsV1Twin) {
  for (const std::string& path :
       {std::string("/config"), std::string("/overview"), std::string("/jobs"),
        std::string("/jobs/overview"), "/jobs/" + kRunningJob,
        "/jobs/" + kRunningJob + "/checkpoints", "/jobs/" + kRunningJob + "/checkpoints/config",
        "/jobs/" + kRunningJob + "/checkpoints/details/7",
        "/jobs/" + kRunningJob + "/checkpoints/details/7/subtasks/aa", std::string("/taskmanagers"),
        std::string("/taskmanagers/tm:1-a"), std::string("/")}) {
    HttpResponse plain = Call("GET", path);
    HttpResponse twin = Call("GET", "/v1" + path);
    EXPECT_EQ(plain.status, 200) << path << plain.body;
    EXPECT_EQ(twin.status, 200) << path << twin.body;
    EXPECT_EQ(plain.body, twin.body) << path;
  }
}

struct StatusCase {
  std::string method, target;
  int status;
  std::string message;
};

TEST_F(RestApiTest, ErrorsHaveFlinksShapeAndCode) {
  const StatusCase cases[] = {
      {"GET", "/nothing", 404, "Not found: /nothing"},
      {"GET", "/v1/nothing/here", 404, "Not found"},
      {"GET", "/jobs/overview/more/and/more", 404, "Not found"},
      {"GET", "/jobs/" + kUnknownJob, 404, kUnknownJob},
      {"GET", "/jobs/abc", 400, "'abc' is not a job id"},
      {"GET", "/jobs/" + kUnknownJob + "/checkpoints", 404, kUnknownJob},
      {"GET", "/jobs/abc/checkpoints", 400, "'abc' is not a job id"},
      {"GET", "/jobs/abc/checkpoints/details/7", 400, "'abc' is not a job id"},
      {"GET", "/jobs/" + kUnknownJob + "/checkpoints/details/7", 404, kUnknownJob},
      {"GET", "/jobs/" + kRunningJob + "/checkpoints/details/99", 404, "checkpoint 99"},
      {"GET", "/jobs/" + kRunningJob + "/checkpoints/details/7x", 400, "'7x' is not the number"},
      {"GET", "/jobs/" + kRunningJob + "/checkpoints/details/99999999999999999999", 400, "9999"},
      {"GET", "/jobs/" + kRunningJob + "/checkpoints/details/7/subtasks/zz", 404, "task zz"},
      {"GET", "/jobs/" + kRunningJob + "/checkpoints/details/7/subtasks", 404, "Not found"},
      {"GET", "/taskmanagers/nobody", 404, "nobody"},
      {"GET", "relative", 400, "not a valid path"},
      {"GET", "/jobs/%zz", 400, "not a valid path"},
      {"GET", "/jobs/%", 400, "not a valid path"},
      {"DELETE", "/jobs/" + kRunningJob, 405, "GET, PATCH"},
      {"POST", "/overview", 405, "GET"},
      {"DELETE", "/jobs/" + kRunningJob + "/checkpoints", 405, "GET, POST"},
      {"GET", "/jobs/" + kRunningJob + "/stop", 405, "POST"},
      {"PATCH", "/jobs/" + kRunningJob + "?mode=stop", 400, "'stop'"},
      {"PATCH", "/jobs/" + kUnknownJob + "?mode=cancel", 404, kUnknownJob},
      {"PATCH", "/jobs/xyz?mode=cancel", 400, "xyz"},
      {"PATCH", "/jobs/" + kFinishedJob + "?mode=cancel", 409, "FINISHED"},
      {"GET", "/jobs/" + kUnknownJob + "/yarn-cancel", 404, kUnknownJob},
  };
  for (const StatusCase& c : cases) {
    HttpResponse response = Call(c.method, c.target);
    EXPECT_EQ(response.status, c.status) << c.method << " " << c.target;
    Json json = Json::parse(response.body);
    ASSERT_TRUE(json["errors"].is_array()) << response.body;
    EXPECT_THAT(json["errors"][0].get<std::string>(), HasSubstr(c.message)) << c.target;
  }
  EXPECT_TRUE(view_.cancelled.empty());
}

TEST_F(RestApiTest, MethodNotAllowedNamesTheAllowedOnes) {
  HttpResponse response = Call("DELETE", "/v1/jobs/" + kRunningJob);
  EXPECT_THAT(response.headers, ElementsAre(testing::Pair("Allow", "GET, PATCH")));
}

TEST_F(RestApiTest, CancelsByPatchAndByYarnCancel) {
  for (const auto& [method, target] :
       {std::pair{"PATCH", "/jobs/" + kRunningJob + "?mode=cancel"},
        std::pair{"PATCH", "/v1/jobs/" + kRunningJob},
        std::pair{"GET", "/jobs/" + kRunningJob + "/yarn-cancel"},
        std::pair{"GET", std::string("/v1/jobs/0123456789ABCDEF0123456789ABCDEF/yarn-cancel")}}) {
    view_.cancelled.clear();
    HttpResponse response = Call(method, target);
    EXPECT_EQ(response.status, 202) << target;
    EXPECT_EQ(response.body, "{}");
    EXPECT_THAT(view_.cancelled, ElementsAre(kRunningJob));
  }
}

TEST_F(RestApiTest, PercentEncodedTaskManagerId) {
  EXPECT_EQ(Call("GET", "/taskmanagers/tm%3A1-a").status, 200);
}

TEST_F(RestApiTest, ServesThePageWithAContentSecurityPolicy) {
  HttpResponse page = Call("GET", "/");
  EXPECT_THAT(page.content_type, HasSubstr("text/html"));
  EXPECT_THAT(page.body, HasSubstr("<title>Watershed</title>"));
  ASSERT_EQ(page.headers.size(), 1u);
  EXPECT_EQ(page.headers[0].first, "Content-Security-Policy");
  EXPECT_THAT(Call("GET", "/app.js").content_type, HasSubstr("javascript"));
  EXPECT_THAT(Call("GET", "/style.css").content_type, HasSubstr("css"));
  // Nothing from elsewhere, no inline code.
  EXPECT_THAT(page.body, testing::Not(HasSubstr("http")));
  EXPECT_THAT(page.body, testing::Not(HasSubstr("<style")));
}

TEST_F(RestApiTest, QueryIsDecoded) {
  RequestTarget target;
  ASSERT_TRUE(ParseTarget("/a//b%20c?x=1%2B1&y=a+b&flag#frag", target));
  EXPECT_THAT(target.segments, ElementsAre("a", "b c"));
  EXPECT_THAT(target.query, ElementsAre(testing::Pair("x", "1+1"), testing::Pair("y", "a b"),
                                        testing::Pair("flag", "")));
}

class ThrowingView : public FakeJobView {
 public:
  std::vector<v1::JobSummary> Jobs() const override { throw std::runtime_error("secret detail"); }
};

TEST_F(RestApiTest, AnExceptionBecomesA500WithoutDetails) {
  ThrowingView view;
  RestApi api(&view, &clock_, {});
  HttpResponse response = Answer(api, {.method = "GET", .target = "/jobs", .body = {}});
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, testing::Not(HasSubstr("secret detail")));
}

}  // namespace
}  // namespace watershed
