#include "proxy/runtime/proxy_exceptions.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

const std::string ours = "localhost,127.0.0.1,::1";

}  // namespace

TEST_CASE("a parent's exceptions are kept, each once, and ours follow") {
  struct Row {
    const char* name;
    const char* parent;
    std::string list;
  };
  const Row rows[] = {
      {"none", "", ours},
      {"one", "internal.example", "internal.example," + ours},
      {"several", "a.example,.b.example, 10.0.0.0/8", "a.example,.b.example,10.0.0.0/8," + ours},
      {"spaces and empty pieces", " a.example\t,, b.example:8080 \n", "a.example,b.example:8080," + ours},
      {"twice", "a.example,A.Example,a.example", "a.example," + ours},
      {"a loopback name", "127.0.0.1,a.example", "127.0.0.1,a.example,localhost,::1"},
      {"ours alone", "localhost,127.0.0.1,::1", ours},
      {"other loopback addresses", "127.0.0.0/8", "127.0.0.0/8," + ours},
      {"every host", "*", ours},
      {"every host among others", "a.example,*", "a.example," + ours},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(proxy_exceptions(row.parent, {"api.roaring.io"}, false) == row.list);
  }
}

TEST_CASE("no exception leads past us to a host that is intercepted") {
  struct Row {
    const char* name;
    const char* glob;
    const char* entry;
    bool kept;
  };
  const Row rows[] = {
      {"the host", "api.roaring.io", "api.roaring.io", false},
      {"in upper case", "api.roaring.io", "API.Roaring.IO", false},
      {"with a port", "api.roaring.io:443", "api.roaring.io:8443", false},
      {"its domain", "api.roaring.io", "roaring.io", false},
      {"its domain with a dot", "api.roaring.io", ".roaring.io", false},
      {"its domain with a star", "api.roaring.io", "*.roaring.io", false},
      {"an end of its name", "api.roaring.io", "ing.io", false},
      {"every host", "api.roaring.io", "*", false},
      {"a dot", "api.roaring.io", ".", false},
      {"a host beside it", "api.roaring.io", "www.roaring.io", true},
      {"a host below it", "api.roaring.io", "eu.api.roaring.io", true},
      {"a host that ends in it", "api.roaring.io", "xapi.roaring.io", true},
      {"a host below a bare domain", "roaring.io", "api.roaring.io", true},
      {"a host of a glob", "*.roaring.io", "api.roaring.io", false},
      {"the domain of a glob", "*.roaring.io", "roaring.io", false},
      {"a domain below a glob", "*.roaring.io", ".eu.roaring.io", false},
      {"an end of a glob", "*.roaring.io:443", "io", false},
      {"another domain than the glob's", "*.roaring.io", "xroaring.io", true},
      {"anything, when all is intercepted", "*", "a.example", false},
      {"an address", "10.1.2.3", "10.1.2.3", false},
      {"its block", "10.1.2.3:8080", "10.0.0.0/8", false},
      {"its block within a byte", "10.1.2.3", "10.1.2.0/30", false},
      {"a block beside it", "10.1.2.4", "10.1.2.0/30", true},
      {"a block of one", "10.1.2.3", "10.1.2.3/32", false},
      {"all addresses", "10.1.2.3", "0.0.0.0/0", false},
      {"no block", "10.1.2.3", "10.0.0.0/99", true},
      {"no number", "10.1.2.3", "10.0.0.0/x", true},
      {"a block and a name", "api.roaring.io", "0.0.0.0/0", true},
      {"an address of IPv6", "[2001:db8::1]:443", "2001:db8::1", false},
      {"the same in brackets", "[2001:db8::1]", "[2001:db8::1]:443", false},
      {"its block", "[2001:db8::1]", "2001:db8::/32", false},
      {"another kind of address", "[2001:db8::1]", "10.0.0.0/0", true},
      {"a bracket alone", "api.roaring.io", "[", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const auto list = proxy_exceptions(row.entry, {"other.example", row.glob}, false);
    CHECK(list == (row.kept ? std::string(row.entry) + "," + ours : ours));
  }
}

TEST_CASE("with --proxy-localhost a parent's exceptions stand alone, without loopback") {
  struct Row {
    const char* name;
    const char* parent;
    const char* list;
  };
  const Row rows[] = {
      {"none", "", ""},
      {"one", "internal.example", "internal.example"},
      {"loopback names", "localhost,127.0.0.1,a.example,::1,[::1]:80,.localhost,x.localhost", "a.example"},
      {"other loopback addresses", "127.1.2.3,127.0.0.0/8,::1/128", ""},
      {"a block with loopback in it", "0.0.0.0/0,10.0.0.0/8", "10.0.0.0/8"},
      {"an intercepted host", "api.roaring.io,a.example", "a.example"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(proxy_exceptions(row.parent, {"api.roaring.io"}, true) == row.list);
  }
}
