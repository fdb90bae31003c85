#include "proxy/connection/byte_stream.hpp"

#include <netinet/tcp.h>
#include <string>

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

std::string congestion_control_of(tcp::socket& socket) {
  std::string name(16, '\0');
  auto bytes = static_cast<socklen_t>(name.size());
  REQUIRE(::getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &bytes) == 0);
  return name.c_str();
}

}  // namespace

TEST_CASE("a connection within the machine has the cheapest congestion control, over IPv4 and IPv6") {
  for (const char* address : {"127.0.0.1", "::1"}) {
    CAPTURE(address);
    asio::io_context context;
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::make_address(address), 0));
    tcp::socket client(context);
    client.connect(acceptor.local_endpoint());
    DeadlineList deadlines;
    ByteStream server(acceptor.accept(), deadlines);
    CHECK(congestion_control_of(server.socket()) == "reno");
  }
}
