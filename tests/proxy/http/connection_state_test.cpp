#include "proxy/http/connection_state.hpp"

#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

std::string_view text_of(ConnectionState::State state) {
  constexpr std::string_view names[] = {"idle",       "send_response", "send_body",    "done",
                                        "must_close", "closed",        "might_switch", "switched"};
  return names[static_cast<std::size_t>(state)];
}

// Runs a story of events, one word each, and tells where both sides then stand. An event that is not legal is marked.
//   req, req-close, req-expect, connect: request heads   body: first byte of its body   end: the request is whole
//   100, 101, 200 …: response heads (200-close: without keep-alive)   fin: the response is whole
//   eof-req, eof-resp: a side closes   stop: we will not go on
std::string run(const std::string& story) {
  ConnectionState connection;
  std::istringstream words(story);
  std::string word, illegal;
  while (words >> word) {
    bool legal = true;
    if (word == "req" || word == "req-close") {
      legal = connection.on_request_head(word == "req", false);
    } else if (word == "req-expect") {
      legal = connection.on_request_head(true, false, true);
    } else if (word == "connect") {
      legal = connection.on_request_head(true, true);
    } else if (word == "body") {
      connection.on_request_body();
    } else if (word == "end") {
      legal = connection.on_request_end();
    } else if (word == "fin") {
      legal = connection.on_response_end();
    } else if (word == "eof-req") {
      legal = connection.on_close(ConnectionState::Side::requester);
    } else if (word == "eof-resp") {
      legal = connection.on_close(ConnectionState::Side::responder);
    } else if (word == "stop") {
      connection.stop_keep_alive();
    } else {
      legal = connection.on_response_head(std::stoi(word), word.find("close") == std::string::npos);
    }
    if (!legal) illegal += " !" + word;
  }
  std::string outcome(text_of(connection.state(ConnectionState::Side::requester)));
  outcome.append("/").append(text_of(connection.state(ConnectionState::Side::responder))).append(illegal);
  if (connection.may_reuse()) outcome += " reuse";
  if (connection.must_close()) outcome += " close";
  if (connection.awaits_continue()) outcome += " awaits-100";
  if (connection.switched()) outcome += " tunnel";
  return outcome;
}

struct Row {
  const char* story;
  const char* outcome;
};

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    INFO(row.story);
    CHECK(run(row.story) == row.outcome);
  }
}

}  // namespace

TEST_CASE("an exchange takes a connection round") {
  check({
      {"", "idle/idle reuse"},
      {"req", "send_body/send_response"},
      {"req end", "done/send_response"},
      {"req end 200", "done/send_body"},
      {"req end 200 fin", "idle/idle reuse"},
      {"req end 200 fin req end 200", "done/send_body"},
      {"req end 103 103 200 fin", "idle/idle reuse"},
  });
}

TEST_CASE("keep-alive ends when either side says so, or we do") {
  check({
      {"req-close end", "must_close/send_response"},
      {"req-close end 200", "must_close/send_body"},
      {"req-close end 200 fin", "must_close/must_close close"},
      {"req end 200-close fin", "must_close/must_close close"},
      {"req end stop 200 fin", "must_close/must_close close"},
      {"stop", "idle/idle"},
      {"req-close end 200 fin req", "must_close/must_close !req close"},
  });
}

TEST_CASE("an early response owes the rest of the request") {
  check({
      {"req 413", "send_body/send_body"},
      {"req 413 fin", "send_body/done"},
      {"req 413 fin req", "send_body/done !req"},
      {"req 413 fin end", "idle/idle reuse"},
      {"req 413 end", "done/send_body"},
      {"req 413 end fin", "idle/idle reuse"},
      {"req 413-close fin", "send_body/must_close close"},
      {"req 413 fin stop", "send_body/must_close close"},
  });
}

TEST_CASE("an expectation ends with a 100, with the body, or with the connection") {
  check({
      {"req-expect", "send_body/send_response awaits-100"},
      {"req-expect 102", "send_body/send_response awaits-100"},
      {"req-expect 100", "send_body/send_response"},
      {"req-expect 100 end 200 fin", "idle/idle reuse"},
      {"req-expect body end 200 fin", "idle/idle reuse"},
      {"req-expect body 417 fin end", "idle/idle reuse"},
      {"req-expect end 200 fin", "idle/idle reuse"},
      {"req-expect 417 fin", "send_body/must_close close"},
      {"req-expect 417 fin end", "must_close/must_close close"},
      {"req-expect 100 end 200 fin req", "send_body/send_response"},
  });
}

TEST_CASE("CONNECT proposes a switch that only a 2xx accepts") {
  check({
      {"connect end", "might_switch/send_response"},
      {"connect end 200", "switched/switched tunnel"},
      {"connect end 204", "switched/switched tunnel"},
      {"connect end 403", "done/send_body"},
      {"connect end 403 fin", "idle/idle reuse"},
      {"connect end 403-close fin", "must_close/must_close close"},
      {"connect 200", "send_body/send_response !200"},
      {"connect end 200 req", "switched/switched !req tunnel"},
      {"connect end 200 fin", "switched/switched !fin tunnel"},
      {"connect end 403 fin req end 200", "done/send_body"},
  });
}

TEST_CASE("what a peer may not send changes nothing") {
  check({
      {"200", "idle/idle !200 reuse"},
      {"100", "idle/idle !100 reuse"},
      {"end", "idle/idle !end reuse"},
      {"fin", "idle/idle !fin reuse"},
      {"req req", "send_body/send_response !req"},
      {"req end req", "done/send_response !req"},
      {"req end end", "done/send_response !end"},
      {"req end 101", "done/send_response !101"},
      {"req end 200 200", "done/send_body !200"},
      {"req end 200 100", "done/send_body !100"},
      {"req end 200 fin fin", "idle/idle !fin reuse"},
      {"req end fin", "done/send_response !fin"},
  });
}

TEST_CASE("a close is clean between messages, and else cuts one") {
  check({
      {"eof-req", "closed/idle close"},
      {"eof-resp", "idle/closed close"},
      {"req eof-req", "closed/send_response !eof-req"},
      {"req end eof-req", "closed/send_response"},
      {"req end eof-req 200 fin", "closed/must_close close"},
      {"req end eof-resp", "must_close/closed !eof-resp close"},
      {"req end 200 eof-resp", "must_close/closed !eof-resp close"},
      {"req end 200-close fin eof-resp", "must_close/closed close"},
      {"req end 200 fin eof-resp", "idle/closed close"},
      {"req 413 fin eof-resp", "send_body/closed close"},
      {"req end 200 fin eof-req req", "closed/idle !req close"},
      {"connect end eof-req", "closed/send_response !eof-req"},
  });
}
