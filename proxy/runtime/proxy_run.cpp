#include "proxy/runtime/proxy_run.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <sys/wait.h>

#include <openssl/rand.h>

#include "proxy/connection/listener.hpp"
#include "proxy/inspector/admin_server.hpp"
#include "proxy/modes/problem.hpp"
#include "proxy/runtime/child_process.hpp"
#include "proxy/runtime/exit_code.hpp"
#include "proxy/runtime/log.hpp"
#include "proxy/runtime/ready_file.hpp"
#include "proxy/runtime/run_cassette.hpp"
#include "proxy/runtime/summary.hpp"
#include "proxy/runtime/worker.hpp"
#include "proxy/runtime/wrapped_environment.hpp"
#include "proxy/tls/java_trust_store.hpp"
#include "proxy/tls/settings_files.hpp"
#include "proxy/tls/trust_bundle.hpp"

namespace tapedeck {

namespace {

constexpr std::size_t leaf_names_max = 1000;
constexpr std::size_t warmed_names_max = 100;
constexpr std::size_t pseudonym_digits = 8;
// How long exchanges that are going on may take once we are asked to stop.
constexpr std::chrono::milliseconds stop_grace_ms{3000};

std::string url_of(const char* scheme, const tcp::endpoint& endpoint) {
  auto address = endpoint.address();
  if (address.is_unspecified()) {
    address = address.is_v4() ? asio::ip::address(asio::ip::address_v4::loopback())
                              : asio::ip::address(asio::ip::address_v6::loopback());
  }
  const auto host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return std::string(scheme) + "://" + host + ":" + std::to_string(endpoint.port());
}

// 128 random bits in hex.
std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::runtime_error("no randomness");
  std::string text;
  for (const auto byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

class ProxyRun {
 public:
  ProxyRun(const Options& options, const Environment& environment, Log& log)
      : options_(options), environment_(environment), log_(log), signals_(main_), child_signal_(main_) {}
  // After an exception the workers still run, and must not while what they use goes.
  ~ProxyRun() {
    for (auto& worker : workers_) worker->halt();
  }

  Result<ExitVerdict> run();

 private:
  Result<void> load_rules();
  Result<void> load_certificates();
  Result<void> open_cassette();
  Result<void> listen();
  void note_own_listener(const tcp::endpoint& endpoint);
  Result<void> find_parent_proxies();
  void start_workers();
  void serve();
  void warm_certificates();
  Result<void> announce();
  Result<void> start_command();
  void wait_for_signals();
  void wait_for_command();
  void stop();
  void look_at_last_take(SummaryInput& input);
  ExitVerdict finish(const Result<void>& closed);

  std::size_t worker_count() const;
  const Listener& common_listener() const;
  ProxyAddresses addresses() const;

  const Options& options_;
  const Environment& environment_;
  Log& log_;
  asio::io_context main_{1};
  asio::signal_set signals_;
  asio::signal_set child_signal_;

  std::vector<Profile> profiles_;
  std::unique_ptr<Redactor> redactor_;
  std::unique_ptr<MatchKeyMaker> keys_;
  OriginRules origin_rules_;
  std::vector<std::string> intercepted_;  // globs of hosts
  std::shared_ptr<const CertificateAuthority> authority_;
  std::unique_ptr<LeafCertificates> leaf_certificates_;
  std::filesystem::path bundle_file_;
  std::filesystem::path java_trust_store_;
  std::unique_ptr<UpstreamSettings> upstream_;
  RunStatistics statistics_;

  std::unique_ptr<RunCassette> cassette_;
  std::unique_ptr<AdminServer> admin_;
  std::unique_ptr<WorkerSettings> worker_settings_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Listener>> listeners_;  // on the loop of the first worker, so gone before it
  std::atomic<std::size_t> open_connections_{0};
  std::optional<pid_t> command_;
  std::optional<int> command_exit_code_;
};

// Stage by stage; what fails before the command is started costs nothing.
Result<ExitVerdict> ProxyRun::run() {
  for (const auto stage : {&ProxyRun::load_rules, &ProxyRun::load_certificates, &ProxyRun::listen,
                           &ProxyRun::find_parent_proxies, &ProxyRun::open_cassette}) {
    if (auto done = (this->*stage)(); !done) return done.error();
  }
  wait_for_signals();
  start_workers();
  warm_certificates();
  auto started = announce();
  if (started && !options_.command.empty()) started = start_command();
  if (started) serve();
  stop();
  const auto closed = started ? cassette_->close(command_exit_code_.value_or(0) == 0) : cassette_->take_back();
  if (!started) {
    if (started.error().code == "command-not-found" || started.error().code == "command-not-executable") {
      return ExitVerdict{started.error().code == "command-not-found" ? 127 : 126, started.error().detail};
    }
    return started.error();
  }
  return finish(closed);
}

Result<void> ProxyRun::load_rules() {
  std::vector<std::string> hosts = options_.hosts;
  for (const auto& name : options_.profiles) {
    auto profile = load_profile(name);
    if (!profile) return profile.error();
    hosts.insert(hosts.end(), profile->hosts.begin(), profile->hosts.end());
    profiles_.push_back(std::move(*profile));
  }
  redactor_ = std::make_unique<Redactor>(profiles_, options_.limits, options_.secrets);
  keys_ = std::make_unique<MatchKeyMaker>(profiles_);
  origin_rules_.upstream = options_.upstream;
  if (options_.upstream) hosts.push_back(options_.upstream->host + ":" + std::to_string(options_.upstream->port));
  origin_rules_.is_intercepted = [hosts](std::string_view host, std::uint16_t port) {
    return std::any_of(hosts.begin(), hosts.end(),
                       [&](const std::string& glob) { return host_glob_matches(glob, host, port); });
  };
  intercepted_ = std::move(hosts);
  return {};
}

Result<void> ProxyRun::load_certificates() {
  auto authority = CertificateAuthority::load_or_create(options_.ca_dir, std::chrono::system_clock::now());
  if (!authority) return authority.error();
  authority_ = *authority;
  const auto expiry = authority_->expiry_warning(std::chrono::system_clock::now());
  if (!expiry.empty()) log_.warning(expiry);
  leaf_certificates_ = std::make_unique<LeafCertificates>(authority_, leaf_names_max);
  auto bundle = write_trust_bundle(options_.ca_dir, authority_->certificate_pem(), environment_);
  if (!bundle) return bundle.error();
  bundle_file_ = *bundle;
  if (auto written = write_settings_files(bundle_file_); !written) return written.error();
  if (!options_.command.empty() || options_.ready_file) {
    auto store = write_java_trust_store(options_.ca_dir, bundle_file_);
    if (store)
      java_trust_store_ = *store;
    else
      log_.verbose("no Java trust store: " + store.error().detail);
  }
  if (options_.mode == Mode::replay) return {};
  auto context = upstream_context(options_.upstream_ca ? &*options_.upstream_ca : nullptr, options_.upstream_insecure);
  if (!context) return context.error();
  if (options_.upstream_insecure) log_.warning("upstreams are not verified (--upstream-insecure)");
  upstream_ = std::make_unique<UpstreamSettings>(UpstreamSettings{options_, *context, {}, {}, {}, {}, {}});
  upstream_->pseudonym = "tapedeck-" + random_token().substr(0, pseudonym_digits);
  upstream_->direct.via = "1.1 " + upstream_->pseudonym;
  return {};
}

Result<void> ProxyRun::open_cassette() {
  cassette_ = std::make_unique<RunCassette>(
      RunCassette::Needs{options_, environment_, profiles_, *redactor_, *keys_, statistics_, log_}, worker_count());
  return cassette_->open();
}

// --- listening and serving -------------------------------------------------------------------------------------------

Result<void> ProxyRun::listen() {
  for (const auto& address : options_.listen) {
    auto listener = Listener::open(main_, address);
    if (!listener) return listener.error();
    note_own_listener((*listener)->endpoint());
    listeners_.push_back(std::move(*listener));
  }
  if (!options_.admin) return {};
  auto admin = AdminServer::open(main_, *options_.admin, random_token(), statistics_);
  if (!admin) return admin.error();
  admin_ = std::move(*admin);
  note_own_listener(admin_->endpoint());
  return {};
}

void ProxyRun::note_own_listener(const tcp::endpoint& endpoint) {
  if (!upstream_) return;
  for (const auto& place : meeting_places(endpoint, machine_addresses())) upstream_->own_listeners.push_back(place);
}

// Once all listen, since a parent that is ourselves is known by that.
Result<void> ProxyRun::find_parent_proxies() {
  if (!upstream_) return {};
  auto read = read_parent_proxies(environment_);
  auto& parents = read.proxies;
  for (auto* parent : {&parents.for_https, &parents.for_http}) {
    if (!*parent || !is_this_run(**parent, upstream_->own_listeners)) continue;
    read.warnings.push_back("the parent proxy " + (*parent)->address() +
                            " of the environment is this proxy itself; upstreams are dialled without it");
    parent->reset();
  }
  for (const auto& warning : read.warnings) log_.warning(warning);
  upstream_->through_parent = upstream_->direct;
  upstream_->through_parent.absolute_form = true;
  if (parents.for_http) upstream_->through_parent.proxy_authorization = parents.for_http->authorization;
  upstream_->parents = std::move(parents);
  return {};
}

std::size_t ProxyRun::worker_count() const {
  if (options_.workers != 0) return options_.workers;
  return std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
}

void ProxyRun::start_workers() {
  worker_settings_.reset(new WorkerSettings{
      options_, origin_rules_, *leaf_certificates_, upstream_.get(), *redactor_, statistics_, log_, open_connections_,
      [this](asio::io_context& context, UpstreamPool* pool) { return cassette_->make_handler(context, pool); }});
  for (std::size_t i = 0; i < worker_count(); ++i) workers_.push_back(std::make_unique<Worker>(*worker_settings_));
  for (auto& listener : listeners_) {
    listener->attach(workers_, open_connections_, options_.limits.connections_max, log_);
  }
  for (auto& worker : workers_) worker->start();
}

// Until the command or a signal ends it. Only now, when nothing can fail any more, is anybody let in: what was recorded
// in a run that does not come about would be lost, and a connection that is open would be the command's, too.
void ProxyRun::serve() {
  for (auto& listener : listeners_) listener->start();
  main_.run();
}

// So that the first handshakes need not wait for a certificate to be made. One at a time, so that signals and the end
// of the command are seen in between.
void ProxyRun::warm_certificates() {
  const auto* library = cassette_->library();
  if (library == nullptr) return;
  constexpr std::string_view scheme = "https://";
  std::size_t warmed = 0;
  for (const auto& origin : library->origins()) {
    if (!origin.starts_with(scheme) || warmed == warmed_names_max) continue;
    const auto authority = parse_authority(std::string_view(origin).substr(scheme.size()));
    if (!authority) continue;
    ++warmed;
    asio::post(main_, [this, host = authority->host] {
      try {
        (void)leaf_certificates_->context_for(host);
      } catch (const std::exception& error) {
        log_.verbose("no certificate yet for " + host + ": " + error.what());
      }
    });
  }
}

// The first that is not one session's own, if there is one.
const Listener& ProxyRun::common_listener() const {
  const auto found = std::find_if(listeners_.begin(), listeners_.end(),
                                  [](const auto& listener) { return listener->session().empty(); });
  return found == listeners_.end() ? *listeners_.front() : **found;
}

ProxyAddresses ProxyRun::addresses() const {
  ProxyAddresses addresses;
  addresses.proxy_url = url_of("http", common_listener().endpoint());
  addresses.base_url = addresses.proxy_url;
  if (admin_) addresses.admin_url = url_of("http", admin_->endpoint());
  addresses.ca_file = authority_->certificate_file();
  addresses.bundle_file = bundle_file_;
  addresses.java_trust_store = java_trust_store_;
  if (options_.mode == Mode::replay) addresses.recorded_at = rfc3339(cassette_->library()->newest_recorded_at_us());
  addresses.intercepted = intercepted_;
  return addresses;
}

Result<void> ProxyRun::announce() {
  const auto known = addresses();
  for (const auto& listener : listeners_) {
    const auto session = listener->session().empty() ? "" : " for session " + listener->session();
    log_.info("listening on " + url_of("http", listener->endpoint()) + session);
  }
  if (admin_) log_.info("admin on " + known.admin_url);
  if (!options_.ready_file) return {};
  ReadyFile ready;
  ready.pid = ::getpid();
  ready.proxy_url = known.proxy_url;
  ready.base_url = known.base_url;
  ready.base_url_tls = url_of("https", common_listener().endpoint());
  for (const auto& listener : listeners_) {
    if (!listener->session().empty()) ready.sessions.emplace(listener->session(), url_of("http", listener->endpoint()));
  }
  ready.admin_url = known.admin_url;
  if (admin_) ready.admin_token = admin_->token();
  ready.ca_file = known.ca_file;
  ready.bundle_file = known.bundle_file;
  ready.java_trust_store = known.java_trust_store;
  ready.recorded_at = known.recorded_at;
  ready.intercepted = known.intercepted;
  return write_ready_file(*options_.ready_file, ready);
}

// --- the wrapped command and the end ---------------------------------------------------------------------------------

Result<void> ProxyRun::start_command() {
  child_signal_.add(SIGCHLD);
  auto pid = spawn(options_.command, wrapped_environment(environment_, addresses(), options_));
  if (!pid) return pid.error();
  command_ = *pid;
  wait_for_command();
  return {};
}

void ProxyRun::wait_for_command() {
  child_signal_.async_wait([this](const error_code& error, int) {
    if (error) return;
    int status = 0;
    if (::waitpid(*command_, &status, WNOHANG) != *command_) return wait_for_command();
    command_exit_code_ = exit_code_of(status);
    command_.reset();
    main_.stop();
  });
}

// With a command, its end is ours: a signal is passed on and we wait for it. A terminal's interrupt has reached the
// command by itself already.
void ProxyRun::wait_for_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) signals_.add(signal);
  signals_.async_wait([this](const error_code& error, int signal) {
    if (error) return;
    if (!command_) return main_.stop();
    if (signal != SIGINT || ::isatty(STDIN_FILENO) == 0) ::kill(*command_, signal);
    wait_for_signals();
  });
}

void ProxyRun::stop() {
  for (auto& listener : listeners_) listener->stop();
  for (auto& worker : workers_) worker->begin_stop(stop_grace_ms);
  for (auto& worker : workers_) worker->join();
  if (options_.ready_file) {
    std::error_code ignored;
    std::filesystem::remove(*options_.ready_file, ignored);
  }
}

// What was recorded is compared with older takes and looked through for secrets that are left, by a redactor that has
// seen the whole take by now.
void ProxyRun::look_at_last_take(SummaryInput& input) {
  auto reader = CassetteReader::open(options_.cassette);
  if (!reader) return;
  if (const auto changes = compare_last_take(**reader, *keys_)) input.changes = *changes;
  const SecretScanner scanner(*redactor_, options_.secrets, options_.limits);
  const auto scanned = scan_last_take(**reader, scanner, options_.limits.scan_at_end_bytes_max);
  if (scanned) input.scanned = *scanned;
}

ExitVerdict ProxyRun::finish(const Result<void>& closed) {
  const auto statistics = statistics_.snapshot();
  RunEnding ending;
  ending.command_exit_code = command_exit_code_;
  if (!closed) ending.failure = closed.error().detail;
  ending.recording_failed = !statistics.recording_failure.empty();
  ending.requests = statistics.requests;
  ending.misses = statistics.misses;
  std::vector<ReplayLibrary::Unused> unused;
  // Of a large cassette that is a long list, so it is made only where it is told.
  const auto* library = cassette_->library();
  if (library != nullptr && (options_.fail_on_unused || options_.ci || options_.report)) unused = library->unused();
  ending.unused = unused.size();
  SummaryInput input{options_, statistics, unused, {}, {}};
  if (cassette_->records() && closed) look_at_last_take(input);
  log_.block(summary_text(input));
  if (options_.report) {
    if (auto written = write_report(*options_.report, input); !written) {
      if (!ending.failure.empty()) log_.error(ending.failure);
      ending.failure = written.error().detail;
    }
  }
  auto verdict = exit_verdict(ending, options_);
  if (!ending.failure.empty() && verdict.cause != ending.failure) log_.error(ending.failure);
  return verdict;
}

}  // namespace

int run_proxy(const Options& options, const Environment& environment, Log& log) {
  ProxyRun run(options, environment, log);
  const auto verdict = run.run();
  if (!verdict) {
    log.error(verdict.error().detail);
    return options.command.empty() ? 1 : 125;
  }
  if (!verdict->cause.empty()) log.error(verdict->cause);
  return verdict->code;
}

}  // namespace tapedeck
