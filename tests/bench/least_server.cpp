// bench_least_server PORT BODIES: the least that a server can do for a request: one event, one recv, one send of an
// answer that lies ready. It parses nothing, bounds nothing and closes a connection at the first trouble, so it is good
// for one thing: what it costs is about what no server that answers one request after the other by these calls can fall
// below, on the machine of a benchmark.

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::string_view asked_before_number = "GET /items/";

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

// The fields that nginx sends, so that both move as many bytes.
std::string answer_of(const std::filesystem::path& body_file) {
  std::ifstream file(body_file, std::ios::binary);
  const std::string body{std::istreambuf_iterator<char>(file), {}};
  return "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
         "Content-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) +
         "\r\nLast-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\nConnection: keep-alive\r\n"
         "ETag: \"00000000-4b0\"\r\nAccept-Ranges: bytes\r\n\r\n" +
         body;
}

std::vector<std::string> answers_of(const std::filesystem::path& bodies) {
  std::vector<std::string> answers;
  for (auto file = bodies / "0"; exists(file); file = bodies / std::to_string(answers.size())) {
    answers.push_back(answer_of(file));
  }
  return answers;
}

int listen_on(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up("bind");
  if (::listen(listener, SOMAXCONN) != 0) give_up("listen");
  return listener;
}

void watch(int epoll, int descriptor, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = descriptor;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) give_up("epoll_ctl");
}

void accept_one(int epoll, int listener) {
  const int client = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
  if (client < 0) give_up("accept4");
  const int on = 1;
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
  watch(epoll, client, EPOLLIN | EPOLLRDHUP | EPOLLET);
}

// A request comes whole, as those of a load generator do.
void answer_one(int client, const std::vector<std::string>& answers) {
  static std::array<char, 16 * 1024> room;
  const auto bytes = ::recv(client, room.data(), room.size(), 0);
  std::size_t number = answers.size();
  if (bytes > static_cast<ssize_t>(asked_before_number.size())) {
    std::from_chars(room.data() + asked_before_number.size(), room.data() + bytes, number);
  }
  if (number >= answers.size()) {
    ::close(client);
    return;
  }
  const auto& answer = answers[number];
  if (::send(client, answer.data(), answer.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(answer.size()))
    ::close(client);
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) return 2;
  std::signal(SIGTERM, [](int) { std::_Exit(0); });
  const auto answers = answers_of(words[2]);
  const int listener = listen_on(static_cast<std::uint16_t>(std::atoi(words[1])));
  const int epoll = ::epoll_create1(0);
  watch(epoll, listener, EPOLLIN);
  std::array<epoll_event, 128> events;
  while (true) {
    const int ready = ::epoll_wait(epoll, events.data(), events.size(), -1);
    if (ready < 0) give_up("epoll_wait");
    for (int i = 0; i < ready; ++i) {
      if (events[i].data.fd == listener) {
        accept_one(epoll, listener);
      } else {
        answer_one(events[i].data.fd, answers);
      }
    }
  }
}
