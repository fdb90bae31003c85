#include <ostream>

#include <nlohmann/json.hpp>

#include "config/embedded_profiles.hpp"
#include "config/profile.hpp"
#include "config/text.hpp"
#include "proxy/cli/commands.hpp"
#include "storage/scan/scan_cassette.hpp"

namespace tapedeck {

namespace {

std::string counted(std::uint64_t count, const std::string& singular, const std::string& plural) {
  return std::to_string(count) + " " + (count == 1 ? singular : plural);
}

std::string_view word_of(Finding::Kind kind) {
  return kind == Finding::Kind::secret ? "secret" : "warning";
}

void tell_as_text(std::ostream& out, std::int64_t id, const Finding& finding) {
  out << "exchange " << id << ": " << word_of(finding.kind) << ": " << finding.place << ": " << finding.rule;
  if (finding.value_bytes != 0) {
    out << ": \"" << printable(finding.value_start) << "…\" (" << counted(finding.value_bytes, "byte", "bytes") << ")";
  }
  out << '\n';
}

void tell_as_json(std::ostream& out, std::int64_t id, const Finding& finding) {
  nlohmann::ordered_json line;
  line["exchange"] = id;
  line["kind"] = word_of(finding.kind);
  line["place"] = finding.place;
  line["rule"] = finding.rule;
  line["value_start"] = finding.value_start;
  line["value_bytes"] = finding.value_bytes;
  out << line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

}  // namespace

int scan_for_secrets(const ScanCommand& command, std::ostream& out, std::ostream& err) {
  const auto fail = [&](const std::string& detail) {
    say_failure(err, detail);
    return 1;
  };
  auto reader = CassetteReader::open(command.cassette);
  if (!reader) return fail(reader.error().detail);
  // A cassette does not say by which profiles it was recorded, and each holds for its own hosts only: so all of them.
  std::vector<Profile> profiles;
  for (const EmbeddedProfile& embedded : embedded_profiles()) {
    auto profile = load_profile(embedded.name);
    if (!profile) return fail(profile.error().detail);
    profiles.push_back(std::move(*profile));
  }
  const Limits limits;
  const Redactor redactor(std::move(profiles), limits, command.secrets);
  const SecretScanner scanner(redactor, command.secrets, limits);
  const auto tell = [&](std::int64_t id, const Finding& finding) {
    command.json ? tell_as_json(out, id, finding) : tell_as_text(out, id, finding);
  };
  const auto totals = scan_cassette(**reader, scanner, {}, tell);
  if (!totals) return fail(totals.error().detail);
  if (!command.json) {
    out << counted(totals->exchanges, "exchange", "exchanges") << ": " << counted(totals->secrets, "secret", "secrets")
        << ", " << counted(totals->warnings, "warning", "warnings") << '\n';
  }
  if (totals->secrets == 0) return 0;
  say_failure(err, counted(totals->secrets, "value looks like a secret", "values look like secrets") +
                       "; record again with --secret env:NAME for each that is one, before you share the cassette");
  return 5;
}

}  // namespace tapedeck
