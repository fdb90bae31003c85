// When answers go out, with a handler of the test's own, on one thread.

#include "proxy/connection/client_session.hpp"

#include <doctest/doctest.h>

#include "proxy/modes/wire_image.hpp"
#include "proxy/runtime/log.hpp"
#include "tests/storage/cassette/cassette_fixture.hpp"

namespace tapedeck {

namespace {

constexpr std::string_view answer = "HTTP/1.1 204 No Content\r\n\r\n";

class AnsweringHandler final : public ExchangeHandler {
 public:
  std::shared_ptr<const WireImage> answer_at_once(const IncomingRequest& request) override {
    on_request(request.target);
    if (loads_each) ++loads_;
    auto image = std::make_shared<WireImage>();
    image->bytes = answer;
    return image;
  }
  std::uint64_t loads() const override { return loads_; }
  awaitable<bool> handle(const IncomingRequest&, ClientChannel&) override { co_return false; }

  std::function<void(std::string_view target)> on_request = [](std::string_view) {};
  bool loads_each = false;

 private:
  std::uint64_t loads_ = 0;
};

struct Sessions {
  test::TemporaryFolder folder;
  asio::io_context context{1};
  Options options;
  OriginRules rules{UpstreamUrl{"https", "api.roaring.io", 443}, [](std::string_view, std::uint16_t) { return true; }};
  LeafCertificates leaves{
      CertificateAuthority::load_or_create(folder.path() / "ca", std::chrono::system_clock::now()).value(), 10};
  Redactor redactor{{}, Limits{}};
  RunStatistics statistics;
  Log log{false, -1, [](std::string_view) {}};
  DeadlineList deadlines;
  AnsweringHandler handler;
  SessionServices services{options, rules, leaves, handler, nullptr, deadlines, redactor, statistics, log};
  tcp::acceptor acceptor{context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};

  // A client that has sent all of `requests` before its session begins.
  std::unique_ptr<tcp::socket> start_client(std::string_view requests) {
    auto client = std::make_unique<tcp::socket>(context);
    client->connect(acceptor.local_endpoint());
    asio::write(*client, asio::buffer(requests));
    asio::co_spawn(context, run(acceptor.accept()), asio::detached);
    return client;
  }
  awaitable<void> run(tcp::socket socket) {
    ClientSession session(services, std::move(socket), {});
    co_await session.run();
  }
  std::string receive(tcp::socket& client, std::size_t bytes) {
    while (client.available() < bytes) context.run_one();
    std::string received(bytes, '\0');
    received.resize(client.read_some(asio::buffer(received)));
    return received;
  }
};

std::string request_for(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

}  // namespace

// In lockstep, since both have been sent before the loop runs.
TEST_CASE("Answers that were read from the cassette go out when all that are ready have been chosen") {
  struct Row {
    const char* name;
    bool loads;
    std::size_t bytes_at_second;  // that the first client has when the second's answer is chosen
  };
  for (const Row& row : {Row{"from memory: at once", false, answer.size()}, Row{"from the cassette", true, 0}}) {
    CAPTURE(row.name);
    Sessions sessions;
    sessions.handler.loads_each = row.loads;
    const auto first = sessions.start_client(request_for("/first"));
    const auto second = sessions.start_client(request_for("/second"));
    std::vector<std::string> order;
    sessions.handler.on_request = [&](std::string_view target) {
      order.emplace_back(target);
      if (target == "/second") CHECK(first->available() == row.bytes_at_second);
    };
    while (order.size() < 2) sessions.context.run_one();
    CHECK(sessions.receive(*first, answer.size()) == answer);
    CHECK(sessions.receive(*second, answer.size()) == answer);
    CHECK(order == std::vector<std::string>{"/first", "/second"});
  }
}

TEST_CASE("Requests that came together are answered in their order, wherever the answers come from") {
  for (const bool loads : {false, true}) {
    CAPTURE(loads);
    Sessions sessions;
    sessions.handler.loads_each = loads;
    std::string requests;
    std::string asked;
    sessions.handler.on_request = [&](std::string_view target) { asked += target; };
    for (const auto* target : {"/1", "/2", "/3", "/4", "/5"}) requests += request_for(target);
    const auto client = sessions.start_client(requests);
    for (int i = 0; i < 5; ++i) CHECK(sessions.receive(*client, answer.size()) == answer);
    CHECK(asked == "/1/2/3/4/5");
  }
}

}  // namespace tapedeck
