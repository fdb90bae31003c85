#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "config/parse_values.hpp"
#include "config/text.hpp"

namespace tapedeck {

Result<UpstreamUrl> parse_upstream_url(std::string_view text) {
  static const std::string example = "write scheme, host and port alone, as in https://api.roaring.io";
  const auto refuse = [&](std::string_view why) -> Failure {
    return {"bad-value", Blame::us, url_in_quotes(text) + std::string(why)};
  };
  if (text.find("://") == std::string_view::npos) return refuse(" has no scheme; write it as https://HOST");
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed) return refuse(" is no URL; " + example);
  const boost::urls::url_view url = *parsed;

  UpstreamUrl out;
  out.scheme = lower_case({url.scheme().data(), url.scheme().size()});
  if (out.scheme != "https" && out.scheme != "http") return refuse(" is neither http nor https; " + example);
  if (url.has_userinfo()) return refuse(" has user info; leave it out, clients send their own credentials");
  if (url.has_query() || url.has_fragment()) return refuse(" has a query or fragment; " + example);
  if (!url.encoded_path().empty() && url.encoded_path() != "/") {
    return refuse(" has a path, but the path comes from each request; " + example);
  }
  const auto encoded = url.encoded_host();
  std::string host = lower_case({encoded.data(), encoded.size()});
  if (!host.empty() && host.back() == '.') host.pop_back();
  const auto glob = parse_host_glob(host);
  if (!glob || glob->find('*') != std::string::npos) return refuse(" has no host that can be dialled; " + example);
  out.host = glob->front() == '[' ? glob->substr(1, glob->size() - 2) : *glob;
  out.port = out.scheme == "https" ? 443 : 80;
  if (url.has_port() && !url.port().empty()) {
    // port_number() of Boost.URL takes numbers beyond 16 bits modulo 65536.
    const auto port = parse_number({url.port().data(), url.port().size()}, 1, 65535);
    if (!port) return refuse(" has no port from 1 to 65535; " + example);
    out.port = static_cast<std::uint16_t>(*port);
  }
  return out;
}

}  // namespace tapedeck
