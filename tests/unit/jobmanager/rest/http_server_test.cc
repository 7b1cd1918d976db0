#include "jobmanager/rest/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <future>
#include <iterator>
#include <mutex>
#include <thread>
#include <vector>

#include "tcp_client.h"

namespace watershed {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

void Echo(const HttpRequest& request, const HttpResponder& respond) {
  respond({.body = request.method + " " + request.target + " " + request.body,
           .headers = {{"X-Test", "yes"}}});
}

std::unique_ptr<HttpServer> StartServer(HttpServerOptions options = {}) {
  auto server = HttpServer::Start(options, Echo);
  if (!server) ADD_FAILURE() << server.error().message;
  return std::move(server).value();
}

int ThreadCount() {
  auto tasks = std::filesystem::directory_iterator("/proc/self/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

TEST(HttpServerTest, AnswersAndKeepsTheConnection) {
  auto server = StartServer();
  TcpClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    std::string response = client.ReadResponse();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(response, HasSubstr("X-Test: yes\r\n"));
    EXPECT_THAT(response, HasSubstr("\r\n\r\nGET /a "));
  }
}

TEST(HttpServerTest, ConnectionCloseIsHonoured) {
  auto server = StartServer();
  TcpClient client(server->port());
  // Flink's command line sends a body with GET and asks to close.
  client.Send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_THAT(client.ReadToEnd(), HasSubstr("\r\n\r\nGET /a {}"));
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  auto server = StartServer();
  TcpClient client(server->port());
  client.Send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadResponse(), HasSubstr("GET /1"));
  EXPECT_THAT(client.ReadResponse(), HasSubstr("GET /2"));
}

TEST(HttpServerTest, HeadHasLengthButNoBody) {
  auto server = StartServer();
  TcpClient client(server->port());
  client.Send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::string response = client.ReadToEnd();
  EXPECT_THAT(response, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(response, testing::EndsWith("\r\n\r\n"));
}

TEST(HttpServerTest, OversizedHeaderIsRefused) {
  auto server = StartServer({.header_bytes_max = 2048});
  TcpClient client(server->port());
  client.Send("GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'a') + "\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 431 "));
}

// The library's own limit is 8 KB: this one is ours.
TEST(HttpServerTest, AHeaderWithinTheLimitIsAccepted) {
  auto server = StartServer({.header_bytes_max = 32 * 1024});
  TcpClient client(server->port());
  client.Send("GET /a HTTP/1.1\r\nX: " + std::string(30'000, 'a') + "\r\n\r\n");
  EXPECT_THAT(client.ReadResponse(), StartsWith("HTTP/1.1 200 "));
}

TEST(HttpServerTest, OversizedBodyIsRefusedBeforeItIsRead) {
  auto server = StartServer();
  TcpClient client(server->port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000000000\r\n\r\n");
  EXPECT_THAT(client.ReadResponse(), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServerTest, OversizedChunkedBodyIsRefused) {
  auto server = StartServer({.body_bytes_max = 100});
  TcpClient client(server->port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" +
              std::string(0xffff, 'b') + "\r\n0\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServerTest, GarbageIsRefusedAndTheServerGoesOn) {
  auto server = StartServer();
  for (const std::string& garbage :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS\r\n\r\n"),
        std::string("\0\0\0\0\r\n\r\n", 8), std::string("GET\r\n\r\n"),
        std::string("GET / HTTP/9.9\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n")}) {
    TcpClient client(server->port());
    client.Send(garbage);
    EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 400 ")) << garbage;
    EXPECT_TRUE(client.closed_by_peer());
  }
  TcpClient client(server->port());
  client.Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadResponse(), StartsWith("HTTP/1.1 200 "));
}

TEST(HttpServerTest, AnUnfinishedRequestIsClosedByTimeout) {
  auto server = StartServer({.request_timeout = std::chrono::milliseconds(100)});
  TcpClient client(server->port());
  client.Send("GET /a HTT");
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_TRUE(client.closed_by_peer());
}

TEST(HttpServerTest, AnIdleConnectionIsClosedByTimeout) {
  auto server = StartServer({.idle_timeout = std::chrono::milliseconds(100)});
  TcpClient client(server->port());
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_TRUE(client.closed_by_peer());
}

// A client that sends byte by byte is waited for while others are served.
TEST(HttpServerTest, ASlowClientDoesNotHoldUpOthers) {
  auto server = StartServer();
  TcpClient slow(server->port());
  const std::string request = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
  for (char c : request) {
    slow.Send(std::string(1, c));
    if (c != 'x') continue;
    TcpClient other(server->port());
    other.Send("GET /fast HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(other.ReadResponse(), HasSubstr("GET /fast"));
  }
  EXPECT_THAT(slow.ReadResponse(), HasSubstr("GET /slow"));
}

TEST(HttpServerTest, TwoHundredIdleConnectionsHoldNoThread) {
  auto server = StartServer();
  std::vector<TcpClient> clients;
  clients.emplace_back(server->port());
  clients.back().Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  clients.back().ReadResponse();
  int threads = ThreadCount();
  while (clients.size() < 200) {
    clients.emplace_back(server->port());
    clients.back().Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_THAT(clients.back().ReadResponse(), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_EQ(server->open_connections(), 200u);
  EXPECT_EQ(ThreadCount(), threads);
  for (TcpClient& client : clients) client.Send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  for (TcpClient& client : clients) EXPECT_THAT(client.ReadResponse(), HasSubstr("GET /b"));
}

TEST(HttpServerTest, ConnectionsBeyondTheLimitAreClosed) {
  auto server = StartServer({.connections_max = 1});
  TcpClient first(server->port());
  first.Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(first.ReadResponse(), HasSubstr("GET /a"));
  TcpClient second(server->port());
  EXPECT_EQ(second.ReadToEnd(), "");
  EXPECT_TRUE(second.closed_by_peer());
  first.Send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(first.ReadResponse(), HasSubstr("GET /b"));
}

TEST(HttpServerTest, AClientThatDoesNotReadIsDropped) {
  std::promise<void> asked;
  auto server = HttpServer::Start({.write_timeout = std::chrono::milliseconds(100)},
                                  [&](const HttpRequest&, const HttpResponder& respond) {
                                    asked.set_value();
                                    respond({.body = std::string(64 << 20, 'x')});
                                  });
  ASSERT_TRUE(server);
  TcpClient client((*server)->port());
  client.Send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  asked.get_future().wait();
  // The connection goes by the server's own doing, although we never read.
  while ((*server)->open_connections() > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_LT(client.ReadToEnd().size(), 64u << 20);
}

// A handler that answers when the test does.
class Withheld {
 public:
  HttpHandler Handler() {
    return [this](const HttpRequest& request, HttpResponder respond) {
      if (request.target == "/at-once") return respond({.body = "at once"});
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(respond));
      has_come_.notify_all();
    };
  }
  // The oldest that has not been taken.
  HttpResponder Take() {
    std::unique_lock lock(mutex_);
    has_come_.wait(lock, [this] { return !waiting_.empty(); });
    HttpResponder respond = std::move(waiting_.front());
    waiting_.pop_front();
    return respond;
  }

 private:
  std::mutex mutex_;
  std::condition_variable has_come_;
  std::deque<HttpResponder> waiting_;
};

TEST(HttpServerTest, AnAnswerMayComeLaterFromAnotherThread) {
  Withheld withheld;
  auto server = HttpServer::Start({}, withheld.Handler());
  ASSERT_TRUE(server);
  TcpClient client((*server)->port());
  for (int i = 0; i < 3; ++i) {
    client.Send("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    const HttpResponder respond = withheld.Take();
    TcpClient other((*server)->port());
    other.Send("GET /at-once HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(other.ReadResponse(), HasSubstr("at once"));
    respond({.status = 202, .body = "number " + std::to_string(i)});
    respond({.body = "a second answer"});
    const std::string response = client.ReadResponse();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 202 "));
    EXPECT_THAT(response, testing::EndsWith("number " + std::to_string(i)));
  }
}

TEST(HttpServerTest, AnAnswerThatDoesNotComeIs503AndIsIgnoredAfterwards) {
  Withheld withheld;
  auto server =
      HttpServer::Start({.answer_timeout = std::chrono::milliseconds(50)}, withheld.Handler());
  ASSERT_TRUE(server);
  TcpClient client((*server)->port());
  client.Send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadResponse(), StartsWith("HTTP/1.1 503 "));
  withheld.Take()({.body = "too late"});
  client.Send("GET /at-once HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadResponse(), testing::EndsWith("at once"));
}

TEST(HttpServerTest, AnswersMayComeWhenNobodyIsThereAnyMore) {
  Withheld withheld;
  auto server = HttpServer::Start({}, withheld.Handler());
  ASSERT_TRUE(server);
  {
    TcpClient client((*server)->port());
    client.Send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    const HttpResponder respond = withheld.Take();
    client.Send("GET /pipelined HTTP/1.1\r\nHost: x\r\n\r\n");
    TcpClient(std::move(client));  // closes it
    respond({.body = std::string(1 << 20, 'x')});
  }
  TcpClient client((*server)->port());
  client.Send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  const HttpResponder respond = withheld.Take();
  server->reset();
  client.ReadToEnd();
  EXPECT_TRUE(client.closed_by_peer());
  respond({.body = "the server has gone"});
}

TEST(HttpServerTest, APortInUseIsNamed) {
  auto server = StartServer();
  auto second = HttpServer::Start({.port = server->port()}, Echo);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(server->port()) + " is in use"));
  EXPECT_EQ(second.error().domain, ErrorDomain::kUser);
}

TEST(HttpServerTest, AnAddressThatMakesNoSenseIsAnError) {
  auto server = HttpServer::Start({.bind_address = "not an address"}, Echo);
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("not an address"));
}

TEST(HttpServerTest, StopsWithOpenConnections) {
  auto server = StartServer();
  TcpClient idle(server->port());
  TcpClient half(server->port());
  half.Send("GET /a HT");
  server.reset();
  idle.ReadToEnd();
  half.ReadToEnd();
  EXPECT_TRUE(idle.closed_by_peer());
  EXPECT_TRUE(half.closed_by_peer());
}

}  // namespace
}  // namespace watershed
