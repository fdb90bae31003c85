#include "proxy/runtime/ready_file.hpp"

#include <nlohmann/json.hpp>

#include "proxy/runtime/small_file.hpp"

namespace tapedeck {
namespace {

constexpr std::size_t ready_file_bytes_max = 64 * 1024;

Failure broken(const std::filesystem::path& file, const std::string& why) {
  return {"ready-file-broken", Blame::us, file.string() + " is not a ready file of tapedeck's: " + why};
}

// False: there, but no string; or not there, and `needed`.
template <class Text>
bool read_text(const nlohmann::json& object, const char* name, bool needed, Text& into) {
  const auto found = object.find(name);
  if (found == object.end()) return !needed;
  if (!found->is_string()) return false;
  into = found->template get<std::string>();
  return true;
}

// False: there, but no array of strings.
bool read_texts(const nlohmann::json& object, const char* name, std::vector<std::string>& into) {
  const auto found = object.find(name);
  if (found == object.end()) return true;
  if (!found->is_array()) return false;
  for (const auto& item : *found) {
    if (!item.is_string()) return false;
    into.push_back(item.get<std::string>());
  }
  return true;
}

// False: there, but no object of strings.
bool read_texts(const nlohmann::json& object, const char* name, std::map<std::string, std::string>& into) {
  const auto found = object.find(name);
  if (found == object.end()) return true;
  if (!found->is_object()) return false;
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) return false;
    into[key] = value.get<std::string>();
  }
  return true;
}

}  // namespace

Result<void> write_ready_file(const std::filesystem::path& file, const ReadyFile& ready) {
  nlohmann::ordered_json object = {
      {"pid", ready.pid},
      {"proxy_url", ready.proxy_url},
      {"base_url", ready.base_url},
      {"base_url_tls", ready.base_url_tls},
      {"admin_url", ready.admin_url},
      {"admin_token", ready.admin_token},
      {"ca_file", ready.ca_file.string()},
      {"bundle_file", ready.bundle_file.string()},
  };
  if (!ready.sessions.empty()) object["sessions"] = ready.sessions;
  if (!ready.java_trust_store.empty()) object["java_trust_store"] = ready.java_trust_store.string();
  if (!ready.recorded_at.empty()) object["recorded_at"] = ready.recorded_at;
  if (!ready.intercepted.empty()) object["intercepted"] = ready.intercepted;
  const std::string text = object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return write_file_atomically(file, text, 0600);
}

Result<ReadyFile> read_ready_file(const std::filesystem::path& file) {
  const auto text = read_small_file(file, ready_file_bytes_max);
  if (!text) {
    if (text.error().code != "file-missing") return broken(file, text.error().detail);
    return Failure{"ready-file-missing", Blame::us,
                   file.string() + " is not there: start tapedeck with --ready-file " + file.string()};
  }
  const auto object = nlohmann::json::parse(*text, nullptr, false);
  if (!object.is_object()) return broken(file, "no JSON object");
  const auto pid = object.find("pid");
  if (pid == object.end() || !pid->is_number_unsigned() || pid->get<std::uint64_t>() > INT32_MAX) {
    return broken(file, "no \"pid\"");
  }
  ReadyFile ready;
  ready.pid = pid->get<pid_t>();
  const auto bad = [&](const char* name) { return broken(file, std::string("no \"") + name + "\""); };
  if (!read_text(object, "proxy_url", true, ready.proxy_url)) return bad("proxy_url");
  if (!read_text(object, "base_url", true, ready.base_url)) return bad("base_url");
  if (!read_text(object, "base_url_tls", true, ready.base_url_tls)) return bad("base_url_tls");
  if (!read_text(object, "admin_url", true, ready.admin_url)) return bad("admin_url");
  if (!read_text(object, "admin_token", true, ready.admin_token)) return bad("admin_token");
  if (!read_text(object, "ca_file", true, ready.ca_file)) return bad("ca_file");
  if (!read_text(object, "bundle_file", true, ready.bundle_file)) return bad("bundle_file");
  if (!read_text(object, "java_trust_store", false, ready.java_trust_store)) return bad("java_trust_store");
  if (!read_text(object, "recorded_at", false, ready.recorded_at)) return bad("recorded_at");
  if (!read_texts(object, "sessions", ready.sessions)) return bad("sessions");
  if (!read_texts(object, "intercepted", ready.intercepted)) return bad("intercepted");
  return ready;
}

}  // namespace tapedeck
