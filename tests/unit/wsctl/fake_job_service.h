// A JobManager that answers what a test says, on a free port of loopback. gRPC's server stays in
// the .cc.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "watershed/v1/control.pb.h"

namespace watershed {

// What it knows and does. Fields are read under the service's lock; change them before the first
// call.
struct FakeJobs {
  std::vector<v1::JobDetails> jobs;
  // Refuses submissions with this INVALID_ARGUMENT message, when not empty.
  std::string refuse_submission;
  // CancelJob sets CANCELLING; the job is CANCELED after this many further GetJob calls; -1: never.
  int gets_until_canceled = 1;
  v1::JobState state_after_cancel = v1::CANCELED;
  bool never_answer = false;  // calls hang until the client gives up
  // Recorded:
  std::vector<v1::JobGraph> submitted;
  std::vector<v1::SubmitJobRequest> submissions;  // the same, whole
  // Operations end so after this many questions; a non-empty refusal refuses to begin one.
  v1::Operation operation;
  int questions_until_done = 1;
  std::string refuse_operation;
  std::string fail_operation;           // the same, of what may be tried again
  int calls_away = 0;                   // so many first calls of ListJobs find no JobManager
  std::vector<std::string> operations;  // recorded, as "stop <job> <directory> drain"
  std::vector<std::string> cancelled;
};

class FakeJobService {
 public:
  explicit FakeJobService(FakeJobs jobs);
  ~FakeJobService();  // calls in progress are cancelled

  std::string address() const;  // "localhost:40123"
  FakeJobs state() const;       // a copy

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// A port of loopback on which nobody listens (it was bound and closed just now).
std::string UnusedAddress();

}  // namespace watershed
