// When answers go out and which requests are known, with a handler of the test's own, on one thread.

#include "proxy/connection/client_session.hpp"

#include <map>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <doctest/doctest.h>

#include "proxy/modes/wire_image.hpp"
#include "proxy/runtime/log.hpp"
#include "proxy/tls/contexts.hpp"
#include "tests/storage/cassette/cassette_fixture.hpp"

namespace tapedeck {

namespace {

std::string request_for(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

std::string answer_to(std::string_view target) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(target.size()) + "\r\n\r\n" + std::string(target);
}

// Answers each request with its target, and remembers those whose target is "/known". For "/miss" there is no answer.
class AnsweringHandler final : public ExchangeHandler {
 public:
  bool answers_at_once() const override { return true; }
  std::shared_ptr<const WireImage> known_answer(std::string_view identity) override {
    const auto found = known_.find(std::string(identity));
    if (found == known_.end()) return nullptr;
    ++known_answers;
    return found->second;
  }
  Choice answer_at_once(const IncomingRequest& request) override {
    on_request(request.target);
    identities.emplace_back(request.identity);
    if (loads_each) ++loads_;
    if (request.target == "/miss") return MissReport{};
    auto image = std::make_shared<WireImage>();
    image->bytes = answer_to(request.target);
    image->close_after = closes;
    if (request.target == "/known") known_.emplace(request.identity, image);
    return image;
  }
  std::uint64_t loads() const override { return loads_; }
  awaitable<bool> handle(const IncomingRequest& request, ClientChannel& client) override {
    on_handle();
    misses_handled += std::holds_alternative<MissReport>(request.chosen) ? 1 : 0;
    for (bool reading = request.has_body(); reading;) {
      const auto event = co_await client.read_body();
      reading = event.kind == BodyDecoder::Event::Kind::data;
    }
    client.output() += answer_to("no answer");
    co_return co_await client.flush();
  }

  std::function<void(std::string_view target)> on_request = [](std::string_view) {};
  std::function<void()> on_handle = [] {};
  std::vector<std::string> identities;
  int known_answers = 0;
  int misses_handled = 0;
  bool loads_each = false;
  bool closes = false;

 private:
  std::map<std::string, std::shared_ptr<const WireImage>> known_;
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

  // A client that has sent `requests` before its session begins.
  std::unique_ptr<tcp::socket> start_client(std::string_view requests, std::string_view listener_session = {}) {
    auto client = std::make_unique<tcp::socket>(context);
    client->connect(acceptor.local_endpoint());
    asio::write(*client, asio::buffer(requests));
    asio::co_spawn(context, run(acceptor.accept(), listener_session), asio::detached);
    return client;
  }
  awaitable<void> run(tcp::socket socket, std::string_view listener_session) {
    ClientSession session(services, std::move(socket), listener_session);
    co_await session.run();
  }
  // Whether these very bytes come.
  bool receives(tcp::socket& client, std::string_view expected) {
    context.restart();  // It stops when it has nothing to wait for.
    while (client.available() < expected.size()) context.run_one();
    std::string received(expected.size(), '\0');
    received.resize(client.read_some(asio::buffer(received)));
    return received == expected;
  }
};

// How many segments the peer has not acknowledged.
int unacknowledged(tcp::socket& socket) {
  tcp_info info{};
  socklen_t bytes = sizeof info;
  REQUIRE(::getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0);
  return static_cast<int>(info.tcpi_unacked);
}

struct TlsClient {
  std::shared_ptr<SSL_CTX> context = upstream_context(nullptr, true).value();
  std::unique_ptr<TlsEngine> engine = TlsEngine::for_upstream(context.get(), "localhost").value();

  std::string take_output() {
    std::string bytes(engine->output());
    engine->output_sent(bytes.size());
    return bytes;
  }
  std::string encrypted(std::string_view plaintext) {
    REQUIRE(engine->write(plaintext) == TlsEngine::Outcome::done);
    return take_output();
  }
  void receive(tcp::socket& socket) {
    std::string bytes(socket.available(), '\0');
    socket.read_some(asio::buffer(bytes));
    engine->feed(bytes);
  }
  std::string read() {
    std::string plaintext(1000, '\0');
    plaintext.resize(engine->read(plaintext).bytes);
    return plaintext;
  }
};

}  // namespace

// In lockstep, since both have been sent before the loop runs. The second round goes the short way, since the
// connection is known by then.
TEST_CASE("Answers that were read from the cassette go out when all that are ready have been chosen") {
  struct Row {
    const char* name;
    bool loads;
    std::size_t bytes_at_second;  // that the first client has when the second's answer is chosen
  };
  for (const Row& row :
       {Row{"from memory: at once", false, answer_to("/first").size()}, Row{"from the cassette", true, 0}}) {
    CAPTURE(row.name);
    Sessions sessions;
    sessions.handler.loads_each = row.loads;
    const auto first = sessions.start_client(request_for("/first"));
    const auto second = sessions.start_client(request_for("/second"));
    int asked = 0;
    sessions.handler.on_request = [&](std::string_view target) {
      ++asked;
      if (target == "/second") CHECK(first->available() == row.bytes_at_second);
    };
    for (int round = 1; round <= 2; ++round) {
      CAPTURE(round);
      while (asked < 2 * round) sessions.context.run_one();
      CHECK(sessions.receives(*first, answer_to("/first")));
      CHECK(sessions.receives(*second, answer_to("/second")));
      sessions.context.poll();
      asio::write(*first, asio::buffer(request_for("/first")));
      asio::write(*second, asio::buffer(request_for("/second")));
    }
  }
}

TEST_CASE("Requests that came together are answered in their order, wherever the answers come from") {
  for (const bool loads : {false, true}) {
    CAPTURE(loads);
    Sessions sessions;
    sessions.handler.loads_each = loads;
    std::string requests;
    std::string answers;
    for (const auto* target : {"/1", "/known", "/2", "/known", "/known", "/3"}) {
      requests += request_for(target);
      answers += answer_to(target);
    }
    const auto client = sessions.start_client(requests);
    CHECK(sessions.receives(*client, answers));
    CHECK(sessions.handler.known_answers == 2);
  }
}

TEST_CASE("That there is no answer is found out once, and told by whoever waits") {
  Sessions sessions;
  const auto client = sessions.start_client(request_for("/miss"));
  for (int round = 1; round <= 3; ++round) {
    CAPTURE(round);  // From the second on the connection is known, and asks before it serves.
    CHECK(sessions.receives(*client, answer_to("no answer")));
    CHECK(sessions.handler.misses_handled == round);
    CHECK(sessions.handler.identities.size() == static_cast<std::size_t>(round));
    CHECK(sessions.statistics.snapshot().requests == static_cast<std::uint64_t>(round));
    asio::write(*client, asio::buffer(request_for("/miss")));
  }
}

TEST_CASE("A request that came before is known on any connection of its kind, and by its bytes alone") {
  const std::string known = request_for("/known");
  const std::string other_field = known.substr(0, known.size() - 2) + "X-Id: 7\r\n\r\n";
  const std::string through_proxy = "GET http://api.roaring.io/known HTTP/1.1\r\nHost: api.roaring.io\r\n\r\n";
  struct Row {
    const char* name;
    std::string first;
    std::string second;
    int known_answers;
  };
  for (const Row& row : {Row{"equal", known, known, 1}, Row{"another target", request_for("/known?"), known, 0},
                         Row{"another field", known, other_field, 0}, Row{"a field less", other_field, known, 0},
                         Row{"with a field of its own, equal", other_field, other_field, 1},
                         Row{"through a proxy, equal", through_proxy, through_proxy, 1}}) {
    CAPTURE(row.name);
    Sessions sessions;
    const auto answer = answer_to(row.first == request_for("/known?") ? "/known?" : "/known");
    const auto first = sessions.start_client(row.first);
    CHECK(sessions.receives(*first, answer));
    const auto second = sessions.start_client(row.second);
    CHECK(sessions.receives(*second, answer_to("/known")));
    CHECK(sessions.handler.known_answers == row.known_answers);
    CHECK(sessions.statistics.snapshot().requests == 2);
  }
}

TEST_CASE("A request is not known where it comes for another session or through a tunnel") {
  Sessions sessions;
  const auto known = request_for("/known");
  const auto answer = answer_to("/known");
  const auto first = sessions.start_client(known + known);
  CHECK(sessions.receives(*first, answer + answer));
  REQUIRE(sessions.handler.known_answers == 1);
  for (const std::string_view session : {"alice", "default"}) {
    CAPTURE(session);
    const auto other = sessions.start_client(known, session);
    CHECK(sessions.receives(*other, answer));
    CHECK(sessions.handler.known_answers == 1);
  }
  asio::write(*first, asio::buffer(std::string("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n")));
  CHECK(sessions.receives(*first, "HTTP/1.1 200 "));
  while (first->available() > 0) sessions.receives(*first, "x");
  asio::write(*first, asio::buffer(known));
  CHECK(sessions.receives(*first, answer));
  CHECK(sessions.handler.known_answers == 1);
}

TEST_CASE("An answer after which the connection ends is the last one, known or not") {
  Sessions sessions;
  sessions.handler.closes = true;
  const auto known = request_for("/known");
  for (int known_before = 0; known_before < 2; ++known_before) {
    const auto client = sessions.start_client(known + known);
    CHECK(sessions.receives(*client, answer_to("/known")));
    sessions.context.poll();
    CHECK(client->available() == 0);
    CHECK(sessions.handler.known_answers == known_before);
  }
}

TEST_CASE("A head that comes byte by byte is known when it is whole, and what follows is not part of it") {
  Sessions sessions;
  const auto known = request_for("/known");
  const auto client = sessions.start_client(known);
  CHECK(sessions.receives(*client, answer_to("/known")));
  for (const char byte : known) {
    CHECK(sessions.handler.known_answers == 0);
    asio::write(*client, asio::buffer(&byte, 1));
    sessions.context.poll();
  }
  CHECK(sessions.receives(*client, answer_to("/known")));
  CHECK(sessions.handler.known_answers == 1);
  asio::write(*client, asio::buffer(known + known.substr(0, 20)));
  CHECK(sessions.receives(*client, answer_to("/known")));
  asio::write(*client, asio::buffer(known.substr(20)));
  CHECK(sessions.receives(*client, answer_to("/known")));
  CHECK(sessions.handler.known_answers == 3);
  CHECK(sessions.handler.identities.size() == 1);
}

TEST_CASE("The time for a head ends with it and does not run on into the next one") {
  for (const std::string target : {"/first", "/known"}) {
    CAPTURE(target);
    Sessions sessions;
    const auto request = request_for(target);
    const auto client = sessions.start_client(request);
    CHECK(sessions.receives(*client, answer_to(target)));
    asio::write(*client, asio::buffer(request.substr(0, 20)));
    sessions.context.poll();
    const auto between_the_two = std::chrono::steady_clock::now();
    asio::write(*client, asio::buffer(request.substr(20) + request.substr(0, 20)));
    CHECK(sessions.receives(*client, answer_to(target)));
    sessions.context.poll();
    sessions.deadlines.sweep(between_the_two + sessions.options.limits.client_head_timeout_ms);
    sessions.context.poll();
    asio::write(*client, asio::buffer(request.substr(20)));
    CHECK(sessions.receives(*client, answer_to(target)));
  }
}

// A client with Nagle's algorithm that writes head and body apart, as Python's do through a proxy, sends the body when
// the head is acknowledged; the system puts that off by 40 ms where it expects an answer to carry it.
TEST_CASE("What came of a request is acknowledged before the rest of it is awaited") {
  const std::string request = "POST /first HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody";
  for (const std::size_t cut : {20U, 58U, 60U, 62U}) {
    CAPTURE(request.substr(0, cut));
    Sessions sessions;
    const auto client = sessions.start_client(request_for("/first"));
    CHECK(sessions.receives(*client, answer_to("/first")));
    for (int round = 0; round < 3; ++round) {
      asio::write(*client, asio::buffer(request.substr(0, cut)));
      const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
      do {
        sessions.context.poll();
      } while (unacknowledged(*client) != 0 && std::chrono::steady_clock::now() < soon);
      CHECK(unacknowledged(*client) == 0);
      asio::write(*client, asio::buffer(request.substr(cut)));
      CHECK(sessions.receives(*client, answer_to("no answer")));
    }
  }
}

// A client with Nagle's algorithm sends its request when its Finished is acknowledged, so the ticket must not wait for
// one; but where the request is there already, one write carries both.
TEST_CASE("A ticket goes out at once, or along with an answer that is ready") {
  const auto whole = request_for("/first").size();
  struct Row {
    const char* name;
    const char* target;
    std::size_t request_bytes;  // that are in the records sent with the Finished
    std::size_t cut_bytes;      // of those records, which come later
    bool ticket_first;
  };
  for (const Row& row :
       {Row{"Finished alone", "/first", 0, 0, true}, Row{"half a request", "/first", 20, 0, true},
        Row{"half a record", "/first", whole, 20, true}, Row{"all of it", "/first", whole, 0, false},
        Row{"all of it, and whoever answers may wait", "/miss", request_for("/miss").size(), 0, true}}) {
    CAPTURE(row.name);
    Sessions sessions;
    TlsClient tls;
    REQUIRE(tls.engine->handshake() == TlsEngine::Outcome::want_input);
    const auto client = sessions.start_client(tls.take_output());
    while (client->available() == 0) sessions.context.run_one();
    tls.receive(*client);
    REQUIRE(tls.engine->handshake() == TlsEngine::Outcome::done);

    const auto request = request_for(row.target);
    const auto first = tls.take_output() + tls.encrypted(request.substr(0, row.request_bytes));
    asio::write(*client, asio::buffer(first, first.size() - row.cut_bytes));
    bool ticket_came = false;
    const auto look = [&] { ticket_came = client->available() > 0; };
    sessions.handler.on_request = [&](std::string_view) { look(); };
    sessions.handler.on_handle = look;
    sessions.context.poll();
    CHECK(client->available() > 0);
    asio::write(*client, asio::buffer(first.substr(first.size() - row.cut_bytes) +
                                      tls.encrypted(request.substr(row.request_bytes))));
    sessions.context.poll();
    CHECK(ticket_came == row.ticket_first);
    tls.receive(*client);
    CHECK(tls.read() == answer_to(row.target == std::string_view("/miss") ? "no answer" : row.target));
  }
}

TEST_CASE("Behind a request that was known no TLS may begin") {
  Sessions sessions;
  const auto known = request_for("/known");
  const auto first = sessions.start_client(known);
  CHECK(sessions.receives(*first, answer_to("/known")));
  const auto second = sessions.start_client(known + "\x16\x03\x01");
  CHECK(sessions.receives(*second, answer_to("/known") + "HTTP/1.1 400 "));
  CHECK(sessions.handler.known_answers == 1);
}

}  // namespace tapedeck
