#include "proxy/connection/deadlines.hpp"

#include <functional>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using tapedeck::Deadline;
using tapedeck::DeadlineList;
using tapedeck::SteadyTime;

namespace {

struct Noted : Deadline {
  int times = 0;
  std::function<void()> then = [] {};
  bool is_cut = false;
  void on_deadline() override {
    ++times;
    then();
  }
  void cut() override { is_cut = true; }
};

const SteadyTime start{100s};

}  // namespace

TEST_CASE("a sweep says when the next one comes") {
  DeadlineList list;
  list.sweep(start);
  CHECK(list.soon() == start + DeadlineList::sweep_interval_ms);
  list.sweep(start + 10s);
  CHECK(list.soon() == start + 10s + DeadlineList::sweep_interval_ms);
}

TEST_CASE("a sweep calls what is due, once") {
  DeadlineList list;
  Noted due, later, never;
  for (auto* each : {&due, &later, &never}) list.add(*each);
  due.expire_at(start);
  later.expire_at(start + 1s);
  list.sweep(start);
  list.sweep(start);
  CHECK(due.times == 1);
  CHECK(later.times == 0);
  list.sweep(start + 1s);
  CHECK(due.times == 1);
  CHECK(later.times == 1);
  CHECK(never.times == 0);
}

TEST_CASE("a deadline that was met can be set again") {
  DeadlineList list;
  Noted noted;
  list.add(noted);
  noted.expire_at(start);
  list.sweep(start);
  noted.expire_at(start + 1s);
  list.sweep(start + 1s);
  CHECK(noted.times == 2);
}

TEST_CASE("cutting reaches every one, due or not") {
  DeadlineList list;
  Noted waiting, never;
  list.add(waiting);
  list.add(never);
  waiting.expire_at(start);
  list.cut_all();
  CHECK(waiting.is_cut);
  CHECK(never.is_cut);
}

TEST_CASE("a handler may end itself and others that are due") {
  DeadlineList list;
  auto first = std::make_unique<Noted>();
  auto second = std::make_unique<Noted>();
  list.add(*first);
  list.add(*second);
  first->expire_at(start);
  second->expire_at(start);
  int second_called = 0;
  second->then = [&] { ++second_called; };
  first->then = [&] { second.reset(); };
  list.sweep(start);
  CHECK(first->times == 1);
  CHECK(second_called == 0);
}

TEST_CASE("That the time has come can be asked until another is set") {
  DeadlineList list;
  Noted noted;
  list.add(noted);
  noted.expire_at(start);
  list.sweep(start - 1s);
  CHECK_FALSE(noted.expired());
  noted.then = [&] { CHECK(noted.expired()); };
  list.sweep(start);
  CHECK(noted.times == 1);
  CHECK(noted.expired());
  noted.expire_at(start + 1s);
  CHECK_FALSE(noted.expired());
  list.sweep(start + 1s);
  CHECK(noted.expired());
  noted.never_expire();
  CHECK_FALSE(noted.expired());
}
