#include "jobmanager/rest/http_server.h"

// ThreadSanitizer knows no fences (GCC refuses them). Asio uses them beside its mutexes only, for
// several threads in one io_context; we have one.
#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace watershed {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

// A connection reads in pieces of this size; an idle one keeps one piece.
constexpr size_t kReadBytes = 1024;
// After an answer that ends the connection, what the client still sends is read and dropped for a
// while: closing at once would reset the connection and the client could lose the answer.
constexpr std::chrono::milliseconds kLingerTimeout{1'000};
constexpr size_t kLingerBytesMax = 1 << 20;

// Answers come from other threads, perhaps after the server has gone.
class Mailbox {
 public:
  explicit Mailbox(asio::io_context* context) : context_(context) {}
  void Post(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    if (context_ != nullptr) asio::post(*context_, std::move(task));
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    context_ = nullptr;
  }

 private:
  std::mutex mutex_;
  asio::io_context* context_;
};

struct ServerState {
  HttpServerOptions options;
  HttpHandler handler;
  std::shared_ptr<Mailbox> mailbox;
  std::atomic<size_t> open_connections{0};
};

// One connection. Keeps itself alive through the handlers of its pending operation; while it waits
// for an answer that is the timer.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, std::shared_ptr<ServerState> server)
      : stream_(std::move(socket)),
        answer_timer_(stream_.get_executor()),
        buffer_(server->options.header_bytes_max + kReadBytes),
        server_(std::move(server)) {
    ++server_->open_connections;
  }
  ~Session() { --server_->open_connections; }

  // Waits for a request's first bytes; pipelined ones are in the buffer already.
  void AwaitRequest() {
    if (buffer_.size() > 0) return ReadHeader();
    buffer_.shrink_to_fit();
    stream_.expires_after(server_->options.idle_timeout);
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this()](error_code error, size_t bytes) {
                              if (error) return self->Close();
                              self->buffer_.commit(bytes);
                              self->ReadHeader();
                            });
  }

 private:
  void ReadHeader() {
    parser_.emplace();
    parser_->header_limit(server_->options.header_bytes_max);
    parser_->body_limit(server_->options.body_bytes_max);
    stream_.expires_after(server_->options.request_timeout);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, size_t) { self->OnRequest(error); });
  }

  void OnRequest(error_code error) {
    if (!error) return Respond();
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return Refuse(431, "The request's header is too large.");
    }
    if (error == http::error::body_limit) return Refuse(413, "The request's body is too large.");
    if (error == beast::error::timeout) return Close();  // the stream is closed already
    if (error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      return Refuse(400, "The request is not valid HTTP.");
    }
    Close();
  }

  void Respond() {
    const auto& message = parser_->get();
    HttpRequest request{.method = std::string(message.method_string()),
                        .target = std::string(message.target()),
                        .body = std::move(parser_->get().body())};
    AwaitAnswer();
    server_->handler(request, [session = weak_from_this(), mailbox = server_->mailbox,
                               number = asked_](HttpResponse answer) {
      mailbox->Post([session, number, answer = std::move(answer)]() mutable {
        if (const auto self = session.lock()) self->OnAnswer(number, std::move(answer));
      });
    });
  }

  void AwaitAnswer() {
    stream_.expires_never();
    answer_timer_.expires_after(server_->options.answer_timeout);
    answer_timer_.async_wait([self = shared_from_this(), number = ++asked_](error_code canceled) {
      if (canceled) return;
      self->OnAnswer(number, {.status = 503,
                              .body = R"({"errors":["The answer takes too long; ask again."]})"});
    });
  }

  void OnAnswer(uint64_t number, HttpResponse answer) {
    if (number <= answered_) return;
    answered_ = number;
    answer_timer_.cancel();
    const auto& message = parser_->get();
    Send(std::move(answer), message.keep_alive(), message.version(),
         message.method() == http::verb::head);
  }

  void Refuse(int status, const char* reason) {
    HttpResponse response{.status = status,
                          .body = std::string(R"({"errors":[")") + reason + R"("]})"};
    Send(std::move(response), false, 11, false);
  }

  void Send(HttpResponse answer, bool keep_alive, unsigned version, bool head) {
    response_ = {};
    response_.version(version);
    response_.result(static_cast<unsigned>(answer.status));
    response_.set(http::field::content_type, answer.content_type);
    response_.set(http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : answer.headers) response_.set(name, value);
    response_.keep_alive(keep_alive);
    response_.content_length(answer.body.size());
    if (!head) response_.body() = std::move(answer.body);
    stream_.expires_after(server_->options.write_timeout);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->Close();
      bool more = self->response_.keep_alive();
      self->parser_.reset();
      self->response_ = {};
      if (more) return self->AwaitRequest();
      self->Linger();
    });
  }

  void Linger() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kLingerTimeout);
    buffer_.clear();
    DropInput();
  }

  void DropInput() {
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this()](error_code error, size_t bytes) {
                              self->dropped_bytes_ += bytes;
                              if (error || self->dropped_bytes_ > kLingerBytesMax) {
                                return self->Close();
                              }
                              self->DropInput();
                            });
  }

  void Close() { stream_.close(); }

  beast::tcp_stream stream_;
  asio::steady_timer answer_timer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  size_t dropped_bytes_ = 0;
  uint64_t asked_ = 0;     // requests that the handler has got
  uint64_t answered_ = 0;  // the last of them that has its answer
  std::shared_ptr<ServerState> server_;
};

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpServerOptions& options, HttpHandler handler)
      : acceptor_(context_), retry_timer_(context_), state_(std::make_shared<ServerState>()) {
    state_->options = options;
    state_->handler = std::move(handler);
    state_->mailbox = std::make_shared<Mailbox>(&context_);
  }

  ~Impl() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
    state_->mailbox->Close();
  }

  Status Listen() {
    const HttpServerOptions& options = state_->options;
    error_code error;
    auto fail = [&]() -> Status {
      const char* hint = error == asio::error::address_in_use
                             ? "is in use; choose another with rest.port"
                             : "cannot be listened on";
      return UserError("REST address {}:{} {} ({})", options.bind_address, options.port, hint,
                       error.message());
    };
    auto address = asio::ip::make_address(
        options.bind_address == "localhost" ? "127.0.0.1" : options.bind_address, error);
    if (error) return fail();
    tcp::endpoint endpoint(address, options.port);
    if (acceptor_.open(endpoint.protocol(), error); error) return fail();
    if (acceptor_.set_option(asio::socket_base::reuse_address(true), error); error) return fail();
    if (acceptor_.bind(endpoint, error); error) return fail();
    if (acceptor_.listen(asio::socket_base::max_listen_connections, error); error) return fail();
    endpoint = acceptor_.local_endpoint(error);
    if (error) return fail();
    port_ = endpoint.port();
    return Ok();
  }

  void Run() {
    Accept();
    thread_ = std::thread([this] { context_.run(); });
  }

  uint16_t port() const { return port_; }
  size_t open_connections() const { return state_->open_connections; }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return RetryAccept();
      if (state_->open_connections < state_->options.connections_max) {
        std::make_shared<Session>(std::move(socket), state_)->AwaitRequest();
      }  // else the socket closes here
      Accept();
    });
  }

  // Out of file descriptors, most likely: accepting again at once would spin.
  void RetryAccept() {
    retry_timer_.expires_after(std::chrono::milliseconds(100));
    retry_timer_.async_wait([this](error_code error) {
      if (!error) Accept();
    });
  }

  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer retry_timer_;
  std::shared_ptr<ServerState> state_;
  uint16_t port_ = 0;
  std::thread thread_;
};

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options,
                                                      HttpHandler handler) {
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  WS_RETURN_IF_ERROR(impl->Listen());
  impl->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;
uint16_t HttpServer::port() const { return impl_->port(); }
size_t HttpServer::open_connections() const { return impl_->open_connections(); }

}  // namespace watershed
