// The way of a repeated request through a real worker: sockets, TLS, memo, image. No operator new may run on it.

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <span>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "proxy/modes/replay_handler.hpp"
#include "proxy/runtime/log.hpp"
#include "proxy/runtime/worker.hpp"
#include "tests/proxy/tls/tls_support.hpp"
#include "tests/support/exchange_builder.hpp"

namespace {

std::atomic<std::uint64_t> worker_allocations{0};
thread_local bool is_client = false;

void* counted(std::size_t bytes) {
  if (!is_client) worker_allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) {
  return counted(bytes);
}
void* operator new[](std::size_t bytes) {
  return counted(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace tapedeck {

using test::ExchangeBuilder;

namespace {

constexpr std::string_view host = "api.roaring.io";

// A connected pair of TCP sockets on loopback.
struct TcpPair {
  int client = -1;
  int server = -1;

  TcpPair() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), bytes) == 0);
    REQUIRE(::listen(listener, 1) == 0);
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &bytes) == 0);
    client = ::socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(::connect(client, reinterpret_cast<sockaddr*>(&address), bytes) == 0);
    server = ::accept(listener, nullptr, nullptr);
    REQUIRE(server >= 0);
    ::close(listener);
    const timeval patience{20, 0};
    ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
};

// A blocking client, in plain text or within TLS.
class Client {
 public:
  explicit Client(int socket) : socket_(socket) {}
  ~Client() { ::close(socket_); }

  void start_tls(SSL_CTX* context) {
    engine_ = TlsEngine::for_upstream(context, host).value();
    while (engine_->handshake() == TlsEngine::Outcome::want_input) {
      send_output();
      receive_input();
    }
    REQUIRE(engine_->handshake_done());
    send_output();
  }
  void send(std::string_view bytes) {
    if (!engine_) {
      REQUIRE(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
      return;
    }
    REQUIRE(engine_->write(bytes) == TlsEngine::Outcome::done);
    send_output();
  }
  // Reads until the bytes that came end with `end`, and says how many they are.
  std::size_t receive_until(std::string_view end) {
    std::string answer;
    std::array<char, 4096> room{};
    while (!answer.ends_with(end)) answer.append(room.data(), receive_some(room));
    return answer.size();
  }
  std::string receive(std::size_t bytes) {
    std::string answers;
    std::array<char, 64 * 1024> room{};
    while (answers.size() < bytes) answers.append(room.data(), receive_some(room));
    return answers;
  }

 private:
  void send_output() {
    const auto output = engine_->output();
    if (output.empty()) return;
    REQUIRE(::send(socket_, output.data(), output.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(output.size()));
    engine_->output_sent(output.size());
  }
  std::size_t receive_some(std::span<char> room) {
    while (engine_) {
      const auto read = engine_->read(room);
      if (read.outcome == TlsEngine::Outcome::done) return read.bytes;
      REQUIRE(read.outcome == TlsEngine::Outcome::want_input);
      receive_input();
    }
    const auto read = ::recv(socket_, room.data(), room.size(), 0);
    REQUIRE(read > 0);
    return static_cast<std::size_t>(read);
  }
  void receive_input() {
    const auto space = engine_->input_space(16 * 1024);
    const auto read = ::recv(socket_, space.data(), space.size(), 0);
    REQUIRE(read > 0);
    engine_->input_received(static_cast<std::size_t>(read));
  }

  int socket_;
  std::unique_ptr<TlsEngine> engine_;
};

std::filesystem::path record(const std::filesystem::path& file, const Redactor& redactor) {
  auto writer = CassetteWriter::open(file, {}).value();
  REQUIRE(writer->begin_take(TakeKind::replace).has_value());
  std::uint64_t number = 0;
  for (const char* target : {"/once", "/twice", "/twice"}) {
    ++number;
    auto exchange = ExchangeBuilder("GET", target).numbers(number, number);
    exchange.response_json("{\"tape\":" + std::to_string(number) + "}");
    const RecordingStep step = redactor.redact(exchange.build()).value();
    REQUIRE(writer->append({&step}).has_value());
  }
  REQUIRE(writer->end_take(TakeState::complete).has_value());
  REQUIRE(writer->close().has_value());
  return file;
}

// All that a replaying worker needs, over a cassette with one recording of /once and two of /twice.
struct Replay {
  test::TemporaryFolder folder;
  std::shared_ptr<const CertificateAuthority> authority =
      CertificateAuthority::load_or_create(folder.path() / "ca", std::chrono::system_clock::now()).value();
  Options options;
  std::vector<Profile> profiles{load_profile("roaring").value()};
  Redactor redactor{profiles, Limits{}};
  MatchKeyMaker keys{profiles};
  std::filesystem::path cassette = record(folder.path() / "c.cassette", redactor);
  OriginRules rules{UpstreamUrl{"https", std::string(host), 443},
                    [](std::string_view name, std::uint16_t) { return name == host; }};
  LeafCertificates leaves{authority, 10};
  RunStatistics statistics;
  Log log{false, -1, [](std::string_view) {}};
  std::unique_ptr<CassetteReader> reader = CassetteReader::open(cassette).value();
  std::unique_ptr<ReplayLibrary> library = ReplayLibrary::build(*reader, keys, SequencePolicy::sticky).value();
  ReplayServices services{options, redactor, keys, profiles, *library, statistics};
  std::atomic<std::size_t> open_connections{0};
  WorkerSettings settings{options,
                          rules,
                          leaves,
                          nullptr,
                          redactor,
                          statistics,
                          log,
                          open_connections,
                          [this](asio::io_context& context, UpstreamPool*) {
                            auto turn_reader = std::make_unique<TurnReader>(context.get_executor(),
                                                                            CassetteReader::open(cassette).value());
                            return std::make_unique<ReplayHandler>(services, log, std::move(turn_reader), 1024 * 1024);
                          }};
  Worker worker{settings};

  Replay() { worker.start(); }
  ~Replay() {
    worker.begin_stop(std::chrono::milliseconds(0));
    worker.join();
  }
  void adopt(int server) {
    tcp::socket socket(worker.context());
    socket.assign(asio::ip::tcp::v4(), server);
    open_connections.fetch_add(1);
    worker.adopt(std::move(socket), {});
  }
};

int times(std::string_view wanted, std::string_view text) {
  int found = 0;
  for (auto at = text.find(wanted); at != std::string_view::npos; at = text.find(wanted, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a request that was answered before is answered without allocating") {
  is_client = true;
  Replay replay;
  const auto trusting = test::client_trusting(*replay.authority);
  for (const bool tls : {false, true}) {
    for (const std::string target : {"/once", "/twice"}) {
      for (const int depth : {1, 16}) {
        CAPTURE(tls);
        CAPTURE(target);
        CAPTURE(depth);
        const TcpPair pair;
        Client client(pair.client);
        replay.adopt(pair.server);
        if (tls) client.start_tls(trusting.get());
        const std::string request =
            "GET " + target + " HTTP/1.1\r\nHost: " + (tls ? "api.roaring.io" : "localhost") + "\r\n\r\n";
        client.send(request);
        const auto answer_bytes = client.receive_until("}");
        std::string together;
        for (int i = 0; i < depth; ++i) together += request;
        const auto round = [&] {
          client.send(together);
          const auto answers = client.receive(answer_bytes * static_cast<std::size_t>(depth));
          CHECK(times(target == "/once" ? R"({"tape":1})" : R"({"tape":3})", answers) == depth);
        };
        for (int i = 0; i < 10; ++i) round();
        const auto before = worker_allocations.load();
        for (int i = 0; i < 100; ++i) round();
        CHECK(worker_allocations.load() - before == 0);
      }
    }
  }
  CHECK(worker_allocations.load() > 0);
  const auto statistics = replay.statistics.snapshot();
  CHECK(statistics.hits == 2 * 2 * (111 + 1 + 110 * 16));
  CHECK(statistics.requests == statistics.hits);
  is_client = false;
}

}  // namespace tapedeck
