#include "storage/redaction/secret_patterns.hpp"

#include <algorithm>
#include <cstring>

#include "storage/redaction/byte_search.hpp"
#include "storage/redaction/encoded_text.hpp"
#include "storage/redaction/placeholders.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t block = 4;  // bytes that decide how far the window moves
constexpr std::size_t window_max = 12;
constexpr std::size_t shifts_size = 1 << 16;
constexpr std::size_t undone_levels_max = 3;

std::uint32_t block_at(const char* bytes) {
  std::uint32_t value;
  std::memcpy(&value, bytes, block);
  return (value * 2654435761u) >> 16;
}

std::size_t window_hash(std::string_view window) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t at = 0; at + block <= window.size(); ++at) {
    std::uint32_t value;
    std::memcpy(&value, window.data() + at, block);
    hash = (hash ^ value) * 0x100000001b3;
  }
  return hash ^ (hash >> 29);
}

std::string hex(std::string_view bytes, const char* digits) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

// The digits that `offset` unknown bytes before the secret and any bytes behind it do not change.
std::string base64_core(std::string_view value, std::size_t offset) {
  constexpr std::size_t unsure_digits[] = {0, 2, 3};
  const auto whole = base64(std::string(offset, '\0') + std::string(value));
  const auto sure_end = (offset + value.size()) * 8 / 6;
  const auto begin = unsure_digits[offset];
  return sure_end > begin ? whole.substr(begin, sure_end - begin) : std::string();
}

// The value, and the value with its escapes undone as a search undoes those of a text.
std::vector<std::string> variants_of(std::string_view value) {
  std::vector<std::string> variants{std::string(value)};
  UnescapedText plain;
  for (std::size_t level = 0; level < undone_levels_max && unescape_all(variants.back(), plain); ++level) {
    variants.push_back(plain.text);
  }
  return variants;
}

}  // namespace

KnownSecret::KnownSecret(std::string_view secret, SecretRule secret_rule)
    : value(secret), rule(std::move(secret_rule)) {
  const auto add = [&](const std::string& text, bool is_base64, std::size_t skipped) {
    if (text.size() < block) return;
    SecretPattern pattern{{}, is_base64, static_cast<std::uint8_t>(skipped)};
    SecretPatterns::normalise(text, pattern.text);
    patterns.push_back(std::move(pattern));
  };
  for (const auto& variant : variants_of(secret)) {
    add(variant, false, 0);
    add(hex(variant, "0123456789abcdef"), false, 0);
    add(hex(variant, "0123456789ABCDEF"), false, 0);
    add(base64_core(variant, 0), true, 0);
    add(base64_core(variant, 1), true, 2);
    add(base64_core(variant, 2), true, 3);
  }
}

SecretPatterns::SecretPatterns(std::vector<KnownSecretPointer> secrets) : secrets_(std::move(secrets)) {
  for (const auto& secret : secrets_) {
    for (const auto& pattern : secret->patterns) entries_.push_back({&pattern, secret.get(), -1});
  }
  // Of equal texts the first stays: the user's own before what was learned.
  const auto text_of = [](const Entry& entry) -> const std::string& { return entry.pattern->text; };
  std::stable_sort(entries_.begin(), entries_.end(),
                   [&](const Entry& a, const Entry& b) { return text_of(a) < text_of(b); });
  entries_.erase(std::unique(entries_.begin(), entries_.end(),
                             [&](const Entry& a, const Entry& b) { return text_of(a) == text_of(b); }),
                 entries_.end());
  if (!entries_.empty()) index();
}

void SecretPatterns::index() {
  window_ = window_max;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& text = entries_[i].pattern->text;
    window_ = std::min(window_, text.size());
    longest_ = std::max(longest_, text.size());
    auto shorter = static_cast<std::int32_t>(i) - 1;
    while (shorter >= 0 && !text.starts_with(entries_[static_cast<std::size_t>(shorter)].pattern->text)) {
      shorter = entries_[static_cast<std::size_t>(shorter)].shorter;
    }
    entries_[i].shorter = shorter;
  }
  shifts_.assign(shifts_size, static_cast<std::uint8_t>(window_ - block + 1));
  std::size_t buckets = 64;
  while (buckets < entries_.size() * 4) buckets *= 2;
  buckets_.assign(buckets, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto window = std::string_view(entries_[i].pattern->text).substr(0, window_);
    for (std::size_t at = 0; at + block <= window_; ++at) {
      auto& entry = shifts_[block_at(window.data() + at)];
      entry = std::min(entry, static_cast<std::uint8_t>(window_ - block - at));
    }
    auto bucket = window_hash(window) & (buckets - 1);
    while (buckets_[bucket] != 0 &&
           std::string_view(entries_[buckets_[bucket] - 1].pattern->text).substr(0, window_) != window) {
      bucket = (bucket + 1) & (buckets - 1);
    }
    buckets_[bucket] = static_cast<std::uint32_t>(i + 1);
  }
}

const SecretPatterns::Entry* SecretPatterns::longest_at(std::string_view text) const {
  const auto window = text.substr(0, window_);
  for (auto bucket = window_hash(window) & (buckets_.size() - 1); buckets_[bucket] != 0;
       bucket = (bucket + 1) & (buckets_.size() - 1)) {
    const auto last = entries_.begin() + buckets_[bucket];
    if (std::string_view((last - 1)->pattern->text).substr(0, window_) != window) continue;
    // What the text begins with is the last entry not behind it in order, or one that this entry begins with.
    auto entry = std::upper_bound(entries_.begin(), last, text, [](std::string_view looked_for, const Entry& other) {
      return looked_for < other.pattern->text;
    });
    if (entry == entries_.begin()) return nullptr;
    for (auto i = static_cast<std::int32_t>(entry - entries_.begin()) - 1; i >= 0;) {
      const auto& candidate = entries_[static_cast<std::size_t>(i)];
      if (text.starts_with(candidate.pattern->text)) return &candidate;
      i = candidate.shorter;
    }
    return nullptr;
  }
  return nullptr;
}

SecretPatterns::Match SecretPatterns::find(std::string_view normalised, std::size_t from) const {
  const auto back = window_ - block;
  for (auto at = from + back; at + block <= normalised.size();) {
    const auto far = shifts_[block_at(normalised.data() + at)];
    if (far != 0) {
      at += far;
      continue;
    }
    const auto begin = at - back;
    if (const auto* entry = longest_at(normalised.substr(begin))) {
      return {begin, begin + entry->pattern->text.size(), entry->secret, entry->pattern};
    }
    ++at;
  }
  return {};
}

void SecretPatterns::normalise(std::string_view text, std::string& result) {
  const auto normal = [](char c) {
    const char dash = c == '+' || c == ' ' ? '-' : c;
    return dash == '/' ? '_' : dash;
  };
  result.assign(text);
  std::size_t at = 0;
  for (; at + byte_block <= result.size(); at += byte_block) {
    ByteBlock block = block_of(result.data() + at);
    for (auto& c : block) c = normal(c);
    std::memcpy(result.data() + at, block.data(), byte_block);
  }
  for (; at < result.size(); ++at) result[at] = normal(result[at]);
}

}  // namespace tapedeck
