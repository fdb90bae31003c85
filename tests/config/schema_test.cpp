// The schema that editors read says the same as the parsers.

#include <algorithm>
#include <fstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "config/load_options.hpp"
#include "config/profile.hpp"
#include "config/settings.hpp"

using namespace tapedeck;
using nlohmann::json;

namespace {

json schema() {
  std::ifstream in("config/tapedeck.schema.json");
  REQUIRE_MESSAGE(in.good(), "run the tests in the root of the repository");
  return json::parse(in);
}

const json& resolved(const json& root, const json& property) {
  if (!property.contains("$ref")) return property;
  return root.at(json::json_pointer(property["$ref"].get<std::string>().substr(1)));
}

}  // namespace

TEST_CASE("every setting but --config stands in the schema, in its shape, and nothing else does") {
  const json root = schema();
  const json& properties = root["properties"];
  CHECK(properties.size() == settings().size());  // "$schema" in place of "config"
  for (const Setting& setting : settings()) {
    if (setting.name == "config") continue;
    CAPTURE(setting.name);
    REQUIRE(properties.contains(std::string(setting.name)));
    const json& property = resolved(root, properties[std::string(setting.name)]);
    CHECK((property.value("type", json()) == "boolean") == (setting.shape == SettingShape::on_off));
    CHECK(property.contains("oneOf") == (setting.shape == SettingShape::list));
    CHECK((property.dump().find("\"integer\"") != std::string::npos) == (setting.kind == Setting::Kind::number));
  }
}

TEST_CASE("the defaults and words of the schema are taken by the parsers") {
  const json root = schema();
  for (const auto& [name, property] : root["properties"].items()) {
    std::vector<json> values = property.value("enum", std::vector<json>{});
    if (property.contains("default")) values.push_back(property["default"]);
    for (const json& value : values) {
      const std::string text = json{{name, value}}.dump();
      CAPTURE(text);
      CHECK(options_from_file(text, "/p/tapedeck.json", FileFoundBy::name).has_value());
    }
  }
}

TEST_CASE("the words of the schema's rules are those of profiles") {
  const json root = schema();
  const auto reads = [](const char* list, json rule) {
    const json profile{{"name", "x"}, {"hosts", {"x.io"}}, {list, json::array({std::move(rule)})}};
    const auto parsed = parse_profile(profile.dump(), "x.json");
    CAPTURE(profile.dump());
    CHECK_MESSAGE(parsed.has_value(), parsed.error().detail);
  };
  const json& redaction = root["$defs"]["redaction"]["properties"];
  for (const json& place : redaction["place"]["enum"]) {
    for (const json& shape : redaction["shape"]["enum"]) {
      reads("redaction", {{"place", place}, {"key", "k"}, {"class", "c"}, {"shape", shape}});
    }
  }
  for (const json& kind : root["$defs"]["matching"]["properties"]["kind"]["enum"]) {
    reads("matching", {{"kind", kind}, {"key", "k"}, {"method", "POST"}, {"path", "/a*"}});
  }
  for (const json& kind : root["$defs"]["rewriting"]["properties"]["kind"]["enum"]) {
    reads("rewriting", {{"kind", kind}, {"key", "k"}, {"value", 1}, {"path", "/a"}});
  }
}
