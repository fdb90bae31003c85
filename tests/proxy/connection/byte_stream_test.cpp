#include "proxy/connection/byte_stream.hpp"

#include <netinet/tcp.h>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

bool choose(tcp::socket& socket, std::string_view name) {
  return ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_CONGESTION, name.data(), name.size()) == 0;
}

std::string congestion_control_of(tcp::socket& socket) {
  std::string name(16, '\0');
  auto bytes = static_cast<socklen_t>(name.size());
  REQUIRE(::getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &bytes) == 0);
  return name.c_str();
}

}  // namespace

TEST_CASE("a connection within the machine has the cheapest congestion control") {
  asio::io_context context;
  tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket client(context);
  client.connect(acceptor.local_endpoint());
  auto accepted = acceptor.accept();
  if (!choose(accepted, "reno")) {
    MESSAGE("this machine does not let us choose");
    return;
  }
  if (!choose(accepted, "cubic")) MESSAGE("this machine has no other to begin with");
  DeadlineList deadlines;
  ByteStream server(std::move(accepted), deadlines);
  CHECK(congestion_control_of(server.socket()) == "reno");
}
