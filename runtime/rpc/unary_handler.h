// A unary gRPC handler that does its work on an executor and holds no thread meanwhile.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "runtime/process/executor.h"

namespace watershed {

// Finishes the call if nobody else did: work that is dropped because the executor has stopped must
// not leave a client, and the server's shutdown, waiting.
class UnaryAnswer {
 public:
  explicit UnaryAnswer(grpc::ServerUnaryReactor* reactor) : reactor_(reactor) {}
  ~UnaryAnswer() { Finish({grpc::StatusCode::UNAVAILABLE, "the process is shutting down"}); }
  UnaryAnswer(const UnaryAnswer&) = delete;
  UnaryAnswer& operator=(const UnaryAnswer&) = delete;

  grpc::ServerUnaryReactor* reactor() const { return reactor_; }
  void Finish(const grpc::Status& status) {
    if (grpc::ServerUnaryReactor* reactor = std::exchange(reactor_, nullptr)) {
      reactor->Finish(status);
    }
  }

 private:
  grpc::ServerUnaryReactor* reactor_;
};

// `work` is given the answer to finish, now or later; request and response stay valid until then.
template <typename Work>
grpc::ServerUnaryReactor* AnswerLaterOn(Executor* executor, grpc::CallbackServerContext* context,
                                        Work work) {
  auto answer = std::make_shared<UnaryAnswer>(context->DefaultReactor());
  grpc::ServerUnaryReactor* reactor = answer->reactor();
  executor->Post(
      [answer = std::move(answer), work = std::move(work)]() mutable { work(std::move(answer)); });
  return reactor;
}

// `work` returns the call's status; request and response stay valid until then.
template <typename Work>
grpc::ServerUnaryReactor* AnswerOn(Executor* executor, grpc::CallbackServerContext* context,
                                   Work work) {
  return AnswerLaterOn(executor, context,
                       [work = std::move(work)](const std::shared_ptr<UnaryAnswer>& answer) {
                         answer->Finish(work());
                       });
}

}  // namespace watershed
