// Savepoints, stops, checkpoints and disposals over REST: bodies, answers and polls, without
// sockets.
#include "jobmanager/rest/rest_operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fake_job_view.h"

namespace watershed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kTrigger = "0a0b0c0d0e0f00010203040506070809";
const std::string kJob = "/jobs/" + kRunningJob;

class RestOperationsTest : public testing::Test {
 protected:
  HttpResponse Post(const std::string& target, const std::string& body) {
    return Answer(api_, {.method = "POST", .target = target, .body = body});
  }
  HttpResponse Get(const std::string& target) {
    return Answer(api_, {.method = "GET", .target = target, .body = "{}"});  // as Flink's CLI does
  }
  v1::Operation& AddOperation(const std::string& job, v1::Operation::Kind kind,
                              v1::Operation::Status status) {
    v1::Operation& operation = view_.operations.emplace_back(job, v1::Operation()).second;
    operation.set_operation_id(kTrigger);
    operation.set_kind(kind);
    operation.set_status(status);
    return operation;
  }
  static std::string ErrorOf(const HttpResponse& response) {
    const Json json = Json::parse(response.body);
    EXPECT_EQ(json.size(), 1u) << response.body;  // Flink's clients take nothing else for an error
    return json.at("errors").at(0).get<std::string>();
  }

  FakeJobView view_;
  FixedClock clock_;
  RestApi api_{&view_, &clock_, BuildInfo{}};
};

struct AcceptedCase {
  std::string target, body, asked, request_id = kChosenOperation;
  int status = 202;
};

TEST_F(RestOperationsTest, WhatIsAskedForIsAcceptedWithAnId) {
  const std::string with_id = R"("triggerId": "0A0B0C0D0E0F00010203040506070809")";
  const AcceptedCase cases[] = {
      {kJob + "/savepoints", "", "savepoint " + kRunningJob + " "},
      {kJob + "/savepoints", "{}", "savepoint " + kRunningJob + " "},
      {"/v1" + kJob + "/savepoints",
       R"({"target-directory": "file:///x", "cancel-job": false, "formatType": "CANONICAL", )" +
           with_id + "}",
       "savepoint " + kRunningJob + " file:///x", kTrigger},
      {kJob + "/savepoints",
       R"({"target-directory": null, "cancel-job": null, "formatType": null, "triggerId": null})",
       "savepoint " + kRunningJob + " "},
      {kJob + "/savepoints", R"({"target-directory": "file:///x", "cancel-job": true})",
       "stop " + kRunningJob + " file:///x"},
      {kJob + "/stop", "", "stop " + kRunningJob + " "},
      {kJob + "/stop", R"({"targetDirectory": "file:///ä", "drain": false})",
       "stop " + kRunningJob + " file:///ä"},
      {kJob + "/stop", R"({"drain": true, "formatType": "NATIVE", )" + with_id + "}",
       "stop " + kRunningJob + "  drain", kTrigger},
      {kJob + "/checkpoints", "", "checkpoint " + kRunningJob},
      {kJob + "/checkpoints", R"({"checkpointType": "CONFIGURED", )" + with_id + "}",
       "checkpoint " + kRunningJob, kTrigger},
      {kJob + "/checkpoints", R"({"checkpointType": "INCREMENTAL"})", "checkpoint " + kRunningJob},
      {"/savepoint-disposal", R"({"savepoint-path": "file:///x/savepoint-1"})",
       "dispose file:///x/savepoint-1", kChosenOperation, 200},
  };
  for (const AcceptedCase& c : cases) {
    view_.asked.clear();
    const HttpResponse response = Post(c.target, c.body);
    EXPECT_EQ(response.status, c.status) << c.target << c.body << response.body;
    EXPECT_EQ(response.body, R"({"request-id":")" + c.request_id + R"("})");
    EXPECT_THAT(view_.asked, ElementsAre(c.asked)) << c.body;
  }
}

struct BadCase {
  std::string target, body;
  int status;
  std::string message;
};

TEST_F(RestOperationsTest, WhatMakesNoSenseIsRefusedAndNotAskedFor) {
  const std::string savepoints = kJob + "/savepoints", stop = kJob + "/stop",
                    checkpoints = kJob + "/checkpoints", disposal = "/savepoint-disposal";
  const BadCase cases[] = {
      {savepoints, "{", 400, "not valid JSON"},
      {savepoints, "{} {}", 400, "not valid JSON"},
      {savepoints, "[]", 400, "not a JSON object"},
      {savepoints, "null", 400, "not a JSON object"},
      {savepoints, R"("text")", 400, "not a JSON object"},
      {savepoints, std::string(60'000, '['), 400, "not valid JSON"},
      {savepoints, R"({"a": )" + std::string(30'000, '[') + std::string(30'000, ']') + "}", 400,
       "unknown field 'a'"},
      {savepoints, R"({"targetDirectory": "x"})", 400,
       "unknown field 'targetDirectory'; known are: target-directory, cancel-job"},
      {savepoints, R"({"target-directory": 7})", 400, "'target-directory' must be a string"},
      {savepoints, R"({"target-directory": "x\u0000y"})", 400, "NUL"},
      {savepoints, R"({"cancel-job": "yes"})", 400, "'cancel-job' must be true or false"},
      {savepoints, R"({"formatType": "AVRO"})", 400, "one of: CANONICAL, NATIVE; not 'AVRO'"},
      {savepoints, R"({"formatType": ""})", 400, "one of: CANONICAL, NATIVE; not ''"},
      {savepoints, R"({"triggerId": "12"})", 400, "'triggerId' must be 32 hex"},
      {savepoints, R"({"triggerId": ""})", 400, "'triggerId' must be 32 hex"},
      {savepoints, R"({"cancel-job": false, "cancel-job": true})", 400, "'cancel-job' is there"},
      {stop, R"({"target-directory": "x"})", 400, "unknown field 'target-directory'"},
      {stop, R"({"drain": 1})", 400, "'drain' must be true or false"},
      {stop, "drain=true", 400, "not valid JSON"},
      {checkpoints, R"({"checkpointType": "FULL"})", 400, "a savepoint has all its files"},
      {checkpoints, R"({"checkpointType": "SOME"})", 400, "not 'SOME'"},
      {checkpoints, R"({"drain": true})", 400, "unknown field 'drain'"},
      {disposal, "", 400, "'savepoint-path' is missing"},
      {disposal, R"({"savepoint-path": ""})", 400, "'savepoint-path' is missing"},
      {disposal, R"({"savepoint-path": {}})", 400, "'savepoint-path' must be a string"},
      {disposal, R"({"path": "x"})", 400, "unknown field 'path'"},
      {"/jobs/" + kUnknownJob + "/savepoints", "{}", 404, kUnknownJob},
      {"/jobs/" + kUnknownJob + "/stop", "{", 404, kUnknownJob},
      {"/jobs/" + kUnknownJob + "/checkpoints", "", 404, kUnknownJob},
      {"/jobs/nobody/savepoints", "{}", 400, "'nobody' is not a job id"},
      {"/jobs/nobody/stop", "{}", 400, "'nobody' is not a job id"},
      {"/jobs/nobody/checkpoints", "{}", 400, "'nobody' is not a job id"},
  };
  for (const BadCase& c : cases) {
    const HttpResponse response = Post(c.target, c.body);
    const std::string what = c.target + " " + c.body.substr(0, 100);
    EXPECT_EQ(response.status, c.status) << what << response.body;
    EXPECT_THAT(ErrorOf(response), HasSubstr(c.message)) << what;
  }
  EXPECT_THAT(view_.asked, IsEmpty());
}

TEST_F(RestOperationsTest, ARefusalSaysWhoHasToAct) {
  view_.refusal = UserError("no directory for the savepoint").value();
  EXPECT_EQ(Post(kJob + "/savepoints", "").status, 400);
  EXPECT_EQ(ErrorOf(Post(kJob + "/savepoints", "")), "no directory for the savepoint");
  view_.refusal = UserError("job has ended").value();
  EXPECT_EQ(Post("/jobs/" + kFinishedJob + "/stop", "").status, 409);
  view_.refusal = TransientError("the disk is away").value();
  EXPECT_EQ(Post(kJob + "/savepoints", "").status, 500);
  EXPECT_EQ(Post("/savepoint-disposal", R"({"savepoint-path": "x"})").status, 500);
}

TEST_F(RestOperationsTest, PollsSayHowItStands) {
  v1::Operation& operation =
      AddOperation(kRunningJob, v1::Operation::SAVEPOINT, v1::Operation::OPERATION_IN_PROGRESS);
  operation.set_path("file:///x/savepoint-1");
  operation.set_checkpoint_id(9);
  const std::string in_progress = R"({"status":{"id":"IN_PROGRESS"},"operation":null})";
  const std::string completed = R"({"status":{"id":"COMPLETED"},"operation":)";
  const std::string savepoint = kJob + "/savepoints/" + kTrigger;
  EXPECT_EQ(Get(savepoint).status, 200);
  EXPECT_EQ(Get(savepoint).body, in_progress);
  operation.set_status(v1::Operation::OPERATION_COMPLETED);
  const std::string located = completed + R"({"location":"file:///x/savepoint-1"}})";
  EXPECT_EQ(Get(savepoint).body, located);
  EXPECT_EQ(Get("/v1/jobs/" + kRunningJob + "/savepoints/0A0B0C0D0E0F00010203040506070809").body,
            located);
  operation.set_kind(v1::Operation::STOP);
  EXPECT_EQ(Get(savepoint).body, located);
  operation.set_kind(v1::Operation::CHECKPOINT);
  EXPECT_EQ(Get(savepoint).status, 404);
  const std::string checkpoint = kJob + "/checkpoints/" + kTrigger;
  EXPECT_EQ(Get(checkpoint).body, completed + R"({"checkpointId":9}})");
  EXPECT_EQ(Get("/savepoint-disposal/" + kTrigger).status, 404);
  AddOperation("", v1::Operation::DISPOSAL, v1::Operation::OPERATION_COMPLETED);
  EXPECT_EQ(Get("/savepoint-disposal/" + kTrigger).body, completed + "{}}");
}

TEST_F(RestOperationsTest, AFailedOneIs500WithItsReasonAlone) {
  AddOperation(kRunningJob, v1::Operation::STOP, v1::Operation::OPERATION_FAILED)
      .set_failure("out (1/1): disk full");
  AddOperation("", v1::Operation::DISPOSAL, v1::Operation::OPERATION_FAILED)
      .set_failure("there is no savepoint");
  const HttpResponse stop = Get(kJob + "/savepoints/" + kTrigger);
  EXPECT_EQ(stop.status, 500);
  EXPECT_EQ(ErrorOf(stop), "out (1/1): disk full");
  const HttpResponse disposal = Get("/savepoint-disposal/" + kTrigger);
  EXPECT_EQ(disposal.status, 500);
  EXPECT_EQ(ErrorOf(disposal), "there is no savepoint");
}

TEST_F(RestOperationsTest, PollsOfTheUnknownHaveFlinksShapeAndCode) {
  const BadCase cases[] = {
      {kJob + "/savepoints/" + kTrigger, "", 404, kTrigger},
      {kJob + "/checkpoints/" + kTrigger, "", 404, kTrigger},
      {"/savepoint-disposal/" + kTrigger, "", 404, kTrigger},
      {kJob + "/savepoints/12", "", 400, "'12' is not a trigger id"},
      {kJob + "/checkpoints/details", "", 400, "'details' is not a trigger id"},
      {"/savepoint-disposal/12", "", 400, "'12' is not a trigger id"},
      {"/jobs/" + kUnknownJob + "/savepoints/" + kTrigger, "", 404, kUnknownJob},
      {"/jobs/12/checkpoints/" + kTrigger, "", 400, "'12' is not a job id"},
  };
  for (const BadCase& c : cases) {
    const HttpResponse response = Get(c.target);
    EXPECT_EQ(response.status, c.status) << c.target;
    EXPECT_THAT(ErrorOf(response), HasSubstr(c.message)) << c.target;
  }
}

}  // namespace
}  // namespace watershed
