// An asynchronous unary call that owns what it needs until it has been answered.
#pragma once

#include <grpcpp/client_context.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "runtime/rpc/pending_calls.h"
#include "runtime/rpc/rpc_error.h"
#include "runtime/types/result.h"

namespace watershed {

struct CallOptions {
  std::string peer;  // for messages: "JobManager at 127.0.0.1:6123"
  std::chrono::milliseconds deadline{10'000};
  bool wait_for_ready = false;  // wait for a peer that is not up yet, instead of failing at once
};

// `start` is given context, request, response and the callback: a stub's async method. `done` runs
// once, on any thread, also when `pending` is closed already (then at once).
template <typename Response, typename Request, typename Start>
void CallUnary(std::shared_ptr<PendingCalls> pending, const CallOptions& options, Request request,
               Start start, std::function<void(Result<Response>)> done) {
  struct Call {
    grpc::ClientContext context;
    Request request;
    Response response;
  };
  auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->context.set_deadline(std::chrono::system_clock::now() + options.deadline);
  call->context.set_wait_for_ready(options.wait_for_ready);
  if (!pending->Add(&call->context)) {
    done(TransientError("{}: not called, this process is shutting down", options.peer));
    return;
  }
  grpc::ClientContext* const context = &call->context;
  auto* const call_request = &call->request;
  auto* const call_response = &call->response;
  start(context, call_request, call_response,
        [call = std::move(call), pending = std::move(pending), peer = options.peer,
         done = std::move(done)](const grpc::Status& status) mutable {
          if (status.ok()) {
            done(std::move(call->response));
          } else {
            done(tl::make_unexpected(FromRpcStatus(status, peer)));
          }
          done = nullptr;  // what it holds may refer to what the owner destroys next
          pending->Forget(&call->context);
          call.reset();
          pending->Done();
        });
}

}  // namespace watershed
