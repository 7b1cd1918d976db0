// An asynchronous HTTP/1.1 server on one thread: idle connections hold a socket and a small buffer,
// no thread. Beast stays in http_server.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "jobmanager/rest/http.h"
#include "runtime/types/result.h"

namespace watershed {

struct HttpServerOptions {
  std::string bind_address = "127.0.0.1";
  uint16_t port = 0;  // 0: a free one
  // Limits that hold before anything of that size is allocated.
  uint32_t header_bytes_max = 16 * 1024;              // more is answered with 431
  uint64_t body_bytes_max = 64 * 1024;                // more is answered with 413
  size_t connections_max = 1000;                      // more are closed at once
  std::chrono::milliseconds idle_timeout{60'000};     // between requests
  std::chrono::milliseconds request_timeout{10'000};  // from a request's first byte to its last
  std::chrono::milliseconds answer_timeout{30'000};   // of the handler; then 503
  std::chrono::milliseconds write_timeout{10'000};    // for a client that does not read
};

// Called on the server's thread, one at a time: must not block. What takes longer is answered
// later.
using HttpHandler = std::function<void(const HttpRequest&, HttpResponder)>;

class HttpServer {
 public:
  // Listens and starts the thread. A user error names the address ("port 8081 is in use").
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options,
                                                   HttpHandler handler);
  // Closes every connection and joins the thread.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;            // the one really bound
  size_t open_connections() const;  // any thread

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace watershed
