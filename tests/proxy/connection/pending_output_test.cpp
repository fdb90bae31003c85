#include "proxy/connection/pending_output.hpp"

#include <doctest/doctest.h>

using namespace tapedeck;

namespace {

std::shared_ptr<const WireImage> image(std::string bytes) {
  auto made = std::make_shared<WireImage>();
  made->bytes = std::move(bytes);
  return made;
}

}  // namespace

TEST_CASE("a lone answer is sent from where it is kept") {
  PendingOutput output;
  const auto kept = image("one");
  output.put(kept);
  CHECK(output.bytes().data() == kept->bytes.data());
  output.sent(3);
  CHECK(output.empty());
  CHECK(kept.use_count() == 1);
}

TEST_CASE("what is put together goes out in order, however it is cut") {
  const std::string whole = "head one two tail";
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    CAPTURE(cut);
    PendingOutput output;
    output.text() += "head ";
    output.put(image("one "));
    output.put(image("two "));
    output.text() += "tail";
    CHECK(output.bytes() == whole);
    output.sent(cut);
    CHECK(output.bytes() == whole.substr(cut));
    output.clear();
    CHECK(output.empty());
  }
}

TEST_CASE("a lone answer that went out in part, or is followed by another, is kept as text") {
  const std::string first = "first";
  for (std::size_t cut = 0; cut <= first.size(); ++cut) {
    CAPTURE(cut);
    PendingOutput output;
    output.put(image(first));
    output.sent(cut);
    output.put(image("second"));
    CHECK(output.bytes() == first.substr(cut) + "second");
    output.text() += "!";
    CHECK(output.bytes() == first.substr(cut) + "second!");
    output.release();
    CHECK(output.empty());
  }
}
