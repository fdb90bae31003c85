#pragma once

#include <chrono>

#include <boost/intrusive/list.hpp>

namespace tapedeck {

using SteadyTime = std::chrono::steady_clock::time_point;

// Something that must make progress by a point in time. Setting a deadline is an assignment: no timer is touched on the
// hot path. Belongs to one worker thread.
class Deadline : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual ~Deadline() = default;

  void expire_at(SteadyTime time) {
    expires_at_ = time;
    expired_ = false;
  }
  void never_expire() { expire_at(SteadyTime::max()); }
  SteadyTime expires_at() const { return expires_at_; }
  // The time has come and no other has been set since. Whoever is about to wait has to ask: on_deadline() misses an
  // operation that has just completed, and comes only once.
  bool expired() const { return expired_; }

  // The time has come; expired() says so from before this is called.
  virtual void on_deadline() = 0;
  // The program stops: nothing waits any more, now or later.
  virtual void cut() = 0;

 private:
  friend class DeadlineList;
  SteadyTime expires_at_ = SteadyTime::max();
  bool expired_ = false;
};

// All deadlines of one worker, looked through a few times a second. A wait may thus last `sweep_interval_ms` longer
// than asked for, and ten thousand idle connections cost ten thousand comparisons a sweep.
class DeadlineList {
 public:
  static constexpr std::chrono::milliseconds sweep_interval_ms{250};

  void add(Deadline& deadline) { deadlines_.push_back(deadline); }

  // When the next sweep is due: for deadlines that may be late by another interval, without asking the clock. It is
  // past when the loop was held up.
  SteadyTime soon() const { return soon_; }

  // Calls on_deadline of each that is due. It may remove itself, and any other, from the list.
  void sweep(SteadyTime now);
  // Cuts each, for good.
  void cut_all();

 private:
  SteadyTime soon_ = std::chrono::steady_clock::now() + sweep_interval_ms;
  boost::intrusive::list<Deadline, boost::intrusive::constant_time_size<false>> deadlines_;
};

}  // namespace tapedeck
