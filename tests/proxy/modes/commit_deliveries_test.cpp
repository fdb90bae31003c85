#include "proxy/modes/commit_deliveries.hpp"

#include <string>
#include <utility>

#include <doctest/doctest.h>

namespace tapedeck {

namespace {

// A worker whose loop the test runs by hand. What wakes there is written down in the order in which it wakes.
class Worker {
 public:
  std::shared_ptr<Commit> waiting(const std::string& name) {
    auto commit = std::make_shared<Commit>(context_.get_executor());
    // The handler must not keep the commit: the commit's own timer keeps the handler.
    commit->committed.async_wait([this, name, waited = commit.get()](error_code error) {
      transcript_ += name + (error == asio::error::operation_aborted ? "" : " timed out") + told_of(*waited) + "; ";
    });
    context_.poll();
    context_.restart();
    return commit;
  }
  Executor executor() { return context_.get_executor(); }

  // Runs the next handler that is ready, and says whether there was one. A delivery is one, and makes the waits ready.
  std::size_t run_one() {
    const auto ran = context_.poll_one();
    context_.restart();
    return ran;
  }
  // What woke since it was asked last.
  std::string woken() {
    context_.poll();
    context_.restart();
    return std::exchange(transcript_, {});
  }

 private:
  static std::string told_of(const Commit& commit) {
    if (!commit.result) return " without a result";
    return " " + (*commit.result ? std::to_string(commit.result->value()) : commit.result->error().code);
  }

  asio::io_context context_;
  std::string transcript_;
};

Failure failure_of(const char* code) {
  return {code, Blame::us, "the disk is full"};
}

}  // namespace

TEST_CASE("each worker is told of its own commits, in order, and not before they are delivered") {
  Worker left, right;
  CommitDeliveries deliveries;
  const auto a = left.waiting("a");
  const auto b = right.waiting("b");
  const auto c = left.waiting("c");
  const auto d = right.waiting("d");
  deliveries.put(left.executor(), a, std::int64_t{1});
  deliveries.put(right.executor(), b, failure_of("disk-full"));
  deliveries.put(left.executor(), c, std::int64_t{2});
  deliveries.put(right.executor(), d, std::int64_t{3});
  CHECK(left.woken() == "");
  CHECK(right.woken() == "");
  CHECK_FALSE(a->result.has_value());

  deliveries.deliver();
  // It is for the worker to look, in its own loop.
  CHECK_FALSE(a->result.has_value());
  CHECK(left.woken() == "a 1; c 2; ");
  CHECK_FALSE(b->result.has_value());
  CHECK(right.woken() == "b disk-full; d 3; ");
}

TEST_CASE("all that is for one worker comes at once") {
  Worker left, right;
  CommitDeliveries deliveries;
  const auto a = left.waiting("a");
  const auto b = left.waiting("b");
  const auto c = right.waiting("c");
  deliveries.put(left.executor(), a, std::int64_t{1});
  deliveries.put(right.executor(), c, std::int64_t{3});
  deliveries.put(left.executor(), b, std::int64_t{2});
  deliveries.deliver();
  CHECK(left.run_one() == 1);
  CHECK(a->result.has_value());
  CHECK(b->result.has_value());
  CHECK(left.woken() == "a 1; b 2; ");
  CHECK(right.woken() == "c 3; ");
}

TEST_CASE("nothing is posted where nothing was told") {
  Worker left, right;
  CommitDeliveries deliveries;
  deliveries.deliver();
  const auto a = left.waiting("a");
  const auto b = right.waiting("b");
  deliveries.put(left.executor(), a, std::int64_t{1});
  deliveries.deliver();
  CHECK(right.run_one() == 0);
  CHECK(left.woken() == "a 1; ");

  // A second time there is nothing left, neither for the worker that was told nor for the other.
  deliveries.deliver();
  CHECK(left.run_one() == 0);
  CHECK(right.run_one() == 0);

  deliveries.put(right.executor(), b, std::int64_t{2});
  deliveries.deliver();
  CHECK(left.run_one() == 0);
  CHECK(right.woken() == "b 2; ");
}

TEST_CASE("an outcome for a worker that was told before comes alone") {
  Worker worker;
  CommitDeliveries deliveries;
  const auto a = worker.waiting("a");
  const auto b = worker.waiting("b");
  deliveries.put(worker.executor(), a, std::int64_t{1});
  deliveries.deliver();
  CHECK(worker.woken() == "a 1; ");
  a->result.reset();
  deliveries.put(worker.executor(), b, std::int64_t{2});
  deliveries.deliver();
  CHECK(worker.woken() == "b 2; ");
  CHECK_FALSE(a->result.has_value());
}

TEST_CASE("a commit outlives whoever waited for it until it was delivered") {
  Worker worker;
  CommitDeliveries deliveries;
  auto a = worker.waiting("a");
  const std::weak_ptr<Commit> seen = a;
  deliveries.put(worker.executor(), std::move(a), std::int64_t{1});
  deliveries.deliver();
  CHECK_FALSE(seen.expired());
  worker.woken();
  CHECK(seen.expired());
}

}  // namespace tapedeck
