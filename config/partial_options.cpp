#include "config/partial_options.hpp"

namespace tapedeck {

PartialOptions layered(PartialOptions over, const PartialOptions& under) {
  const auto fill = [](auto& field, const auto& from) {
    if (!field) field = from;
  };
  fill(over.config, under.config);
  fill(over.cassette, under.cassette);
  fill(over.listen, under.listen);
  fill(over.allow_remote, under.allow_remote);
  fill(over.upstream, under.upstream);
  fill(over.profiles, under.profiles);
  fill(over.hosts, under.hosts);
  fill(over.connect_to, under.connect_to);
  fill(over.upstream_ca, under.upstream_ca);
  fill(over.upstream_insecure, under.upstream_insecure);
  fill(over.ca_dir, under.ca_dir);
  fill(over.admin, under.admin);
  fill(over.ready_file, under.ready_file);
  if (over.secrets && under.secrets) {
    over.secrets->insert(over.secrets->end(), under.secrets->begin(), under.secrets->end());
  }
  fill(over.secrets, under.secrets);
  fill(over.record_policy, under.record_policy);
  fill(over.keep_errors, under.keep_errors);
  fill(over.durable, under.durable);
  fill(over.take_disposition, under.take_disposition);
  fill(over.miss_status, under.miss_status);
  fill(over.sequence, under.sequence);
  fill(over.timing, under.timing);
  fill(over.session, under.session);
  fill(over.set_env, under.set_env);
  fill(over.proxy_localhost, under.proxy_localhost);
  fill(over.allow_misses, under.allow_misses);
  fill(over.fail_on_unused, under.fail_on_unused);
  fill(over.ci, under.ci);
  fill(over.record_in_ci, under.record_in_ci);
  fill(over.mark, under.mark);
  fill(over.report, under.report);
  fill(over.log_json, under.log_json);
  fill(over.verbosity, under.verbosity);
  fill(over.workers, under.workers);
  fill(over.connect_timeout_ms, under.connect_timeout_ms);
  fill(over.response_timeout_ms, under.response_timeout_ms);
  fill(over.idle_timeout_ms, under.idle_timeout_ms);
  fill(over.connections_max, under.connections_max);
  return over;
}

}  // namespace tapedeck
