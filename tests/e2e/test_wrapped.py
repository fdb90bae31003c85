"""`tapedeck record -- COMMAND`: what the command is given, what is said at its end, and the exit codes."""

import json
import os
import signal
import socket
import stat
import subprocess

from support.case import TapedeckCase
from support.processes import BINARY, clean_environment, run_tapedeck, wait_until

URL = "https://api.roaring.io"
UNIQUE = URL + "/__stand_in/unique/"
CURL = ("curl", "-qsS", "--max-time", "20")


class WrappedCase(TapedeckCase):
    def setUp(self):
        super().setUp()
        self.cassette = self.folder / "wrapped.cassette"

    def wrapped(self, mode: str, options: tuple, command: tuple, **more) -> subprocess.CompletedProcess:
        return run_tapedeck(self.folder, mode, "--cassette", self.cassette, *options, "--", *command, **more)

    def record(self, *command, options: tuple = (), **more) -> subprocess.CompletedProcess:
        return self.wrapped("record", (*self.upstream.upstream_options(), *options), command, **more)

    def replay(self, *command, options: tuple = (), **more) -> subprocess.CompletedProcess:
        return self.wrapped("replay", options, command, **more)

    @property
    def upstream(self):
        if not hasattr(self, "_upstream"):
            self._upstream = self.stand_in()
        return self._upstream


class RecordTest(WrappedCase):
    def test_a_command_is_recorded_and_replayed_without_settings_of_its_own(self):
        recorded = self.record(*CURL, UNIQUE + "w1", UNIQUE + "w2")
        self.assertEqual(recorded.returncode, 0, recorded.stderr)
        self.assertRegex(recorded.stderr, r"\brecorded 2 exchanges\b")
        self.assertIn(str(self.cassette), recorded.stderr)
        self.upstream.stop()
        replayed = self.replay(*CURL, UNIQUE + "w1", UNIQUE + "w2")
        self.assertEqual((replayed.returncode, replayed.stdout), (0, recorded.stdout), replayed.stderr)
        self.assertRegex(replayed.stderr, r"\b2 hits")

    def test_python_requests_needs_no_settings_either(self):
        script = f"import requests; print(requests.get('{UNIQUE}p1').text)"
        recorded = self.record("/usr/bin/python3", "-c", script)
        self.assertEqual(recorded.returncode, 0, recorded.stderr)
        self.upstream.stop()
        replayed = self.replay("/usr/bin/python3", "-c", script)
        self.assertEqual((replayed.returncode, replayed.stdout), (0, recorded.stdout), replayed.stderr)

    def test_a_second_run_adds_a_take_and_says_how_to_undo_it(self):
        first = self.record(*CURL, UNIQUE + "t1")
        self.assertNotIn("adding take", first.stderr)
        second = self.record(*CURL, UNIQUE + "t1")
        self.assertIn("adding take 2", second.stderr)
        self.assertIn("tapedeck takes drop last", second.stderr)

    def test_a_command_that_cannot_start_costs_nothing(self):
        """No file that was not there, no take in one that was, and with --replace the old one stays."""
        for options in ((), ("--new",), ("--replace",)):
            self.assertEqual(self.record("no-such-command", options=options).returncode, 127)
            self.assertEqual(list(self.cassette.parent.glob("wrapped.cassette*")), [], options)
        self.record(*CURL, UNIQUE + "kept")
        listed = run_tapedeck(self.folder, "list", "--cassette", self.cassette).stdout
        for options in ((), ("--replace",)):
            self.assertEqual(self.record("no-such-command", options=options).returncode, 127)
            self.assertEqual(list(self.cassette.parent.glob("wrapped.cassette*")), [self.cassette], options)
            self.assertEqual(run_tapedeck(self.folder, "list", "--cassette", self.cassette).stdout, listed)
            takes = run_tapedeck(self.folder, "takes", "--cassette", self.cassette).stdout
            self.assertNotIn("interrupted", takes)

    def test_hosts_that_are_tunnelled_are_named_with_the_option_that_records_them(self):
        """Not intercepted means untouched: the client sees the upstream's own certificate."""
        port = self.upstream.https_port
        url = f"https://localhost:{port}/__stand_in/unique/tunnelled"
        command = (*CURL, "--noproxy", "", "--cacert", str(self.upstream.ca_file), url)
        recorded = self.record(*command, options=("--connect-to", f"localhost:{port}:127.0.0.1:{port}"))
        self.assertEqual(recorded.returncode, 0, recorded.stderr)
        self.assertIn("localhost", recorded.stderr)
        self.assertIn("--host", recorded.stderr)
        refused = self.replay(*command)
        self.assertEqual(refused.returncode, 56, refused.stderr)

    def test_the_command_is_given_what_the_contract_lists(self):
        done = self.record("env", options=("--set-env", "ROARING_API_ROOT"), env={"NO_PROXY": "api.roaring.io"})
        given = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        proxy = given["TAPEDECK_PROXY_URL"]
        self.assertTrue(proxy.startswith("http://127.0.0.1:"), proxy)
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            self.assertEqual((given[name], given[name.upper()]), (proxy, proxy))
        for host in ("localhost", "127.0.0.1", "::1"):
            self.assertIn(host, given["no_proxy"].split(","))
            self.assertIn(host, given["NO_PROXY"].split(","))
        bundle_names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO")
        bundle_names += ("CARGO_HTTP_CAINFO", "AWS_CA_BUNDLE", "DENO_CERT", "PERL_LWP_SSL_CA_FILE")
        self.assertEqual(len({given[name] for name in bundle_names}), 1)
        self.assertEqual(given["NODE_EXTRA_CA_CERTS"], given["TAPEDECK_CA_FILE"])
        self.assertEqual(given["NODE_USE_ENV_PROXY"], "1")
        self.assertEqual(given["ROARING_API_ROOT"], given["TAPEDECK_BASE_URL"])

    def test_the_base_url_can_be_used_by_clients_that_ignore_proxies(self):
        script = f'exec {" ".join(CURL)} "$ROARING_API_ROOT/__stand_in/unique/base"'
        recorded = self.record("sh", "-c", script, options=("--set-env", "ROARING_API_ROOT"))
        self.assertEqual(recorded.returncode, 0, recorded.stderr)
        self.upstream.stop()
        replayed = self.replay(*CURL, UNIQUE + "base")
        self.assertEqual((replayed.returncode, replayed.stdout), (0, recorded.stdout), replayed.stderr)


class ReplaceTest(WrappedCase):
    def test_the_old_cassette_stays_unless_the_new_take_is_whole(self):
        old, new = (*CURL, UNIQUE + "old"), (*CURL, UNIQUE + "new")
        fails = ("sh", "-c", f"{' '.join(new)}; exit 3")
        interrupted = ("sh", "-c", f"{' '.join(new)}; kill -INT $$")
        self.assertEqual(self.record(*old).returncode, 0)
        before = self.cassette.read_bytes()
        for name, command, code, new_files in (
            ("the command failed", fails, 3, 1),
            ("the command was interrupted", interrupted, 128 + signal.SIGINT, 1),
            ("nothing was recorded", ("true",), 125, 0),
            ("nothing was recorded, and the command failed", ("false",), 1, 0),
        ):
            with self.subTest(name):
                done = self.record(*command, options=("--replace",))
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn("the old cassette stays", done.stderr)
                self.assertNotIn("created", done.stderr)
                self.assertNotIn("takes drop last", done.stderr)
                self.assertEqual(self.cassette.read_bytes(), before)
                left = list(self.folder.glob("wrapped.cassette.new-*"))
                self.assertEqual(len(left), new_files, left)
                for file in left:
                    self.assertIn(str(file), done.stderr)
                    file.unlink()
        self.assertEqual(self.record(*new, options=("--replace",)).returncode, 0)
        self.upstream.stop()
        before = self.cassette.read_bytes()
        unreachable = self.record("sh", "-c", f"{' '.join(old)}; true", options=("--replace",))
        self.assertEqual(unreachable.returncode, 125, unreachable.stderr)
        last_line = unreachable.stderr.strip().splitlines()[-1]
        self.assertRegex(last_line, "every exchange was a network failure; the old cassette stays; the new take is /")
        self.assertEqual(self.cassette.read_bytes(), before)
        self.assertEqual(self.replay(*new).returncode, 0)
        self.assertEqual(self.replay(*old).returncode, 123)


    def test_what_an_earlier_run_left_is_not_touched(self):
        self.assertEqual(self.record(*CURL, UNIQUE + "old").returncode, 0)
        words = [BINARY, "record", "--replace", "--cassette", self.cassette, *self.upstream.upstream_options()]
        # The shell's process number becomes the program's.
        script = 'echo earlier > "$0.new-$$"; exec "$@"'
        done = subprocess.run(
            ["sh", "-c", script, *map(str, [self.cassette, *words, "--", *CURL, UNIQUE + "new"])],
            env=clean_environment(self.folder / "home"), cwd=self.folder, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        (left,) = (file for file in self.folder.glob("wrapped.cassette.new-*") if file.suffix != ".lock")
        self.assertEqual(left.read_text(), "earlier\n")
        listed = run_tapedeck(self.folder, "list", "--cassette", self.cassette).stdout
        self.assertEqual(("unique/new" in listed, "unique/old" in listed), (True, False))

    def test_replace_of_the_environment_is_not_for_auto(self):
        self.assertEqual(self.record(*CURL, UNIQUE + "old").returncode, 0)
        done = self.wrapped(
            "auto", self.upstream.upstream_options(), (*CURL, UNIQUE + "new"), env={"TAPEDECK_REPLACE": "true"}
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        listed = run_tapedeck(self.folder, "list", "--cassette", self.cassette).stdout
        self.assertEqual(("unique/new" in listed, "unique/old" in listed), (True, True))


class ExitCodeTest(WrappedCase):
    def setUp(self):
        super().setUp()
        self.assertEqual(self.record(*CURL, UNIQUE + "known", UNIQUE + "other").returncode, 0)
        self.upstream.stop()

    def test_exit_codes(self):
        known, both = (*CURL, UNIQUE + "known"), (*CURL, UNIQUE + "known", UNIQUE + "other")
        unknown = (*CURL, UNIQUE + "unknown")
        fails = ("sh", "-c", f"{' '.join(unknown)}; exit 7")
        for name, options, command, code in (
            ("all hits", (), both, 0),
            ("some unused, nobody minds", (), known, 0),
            ("a miss", (), unknown, 123),
            ("a miss that is allowed", ("--allow-misses",), unknown, 0),
            ("the command's own failure", (), ("sh", "-c", "exit 3"), 3),
            ("the command's own failure beats a miss", (), fails, 7),
            ("unused", ("--fail-on-unused",), known, 122),
            ("nothing unused", ("--fail-on-unused",), both, 0),
            ("unused, but the command failed", ("--fail-on-unused",), ("sh", "-c", "exit 4"), 4),
            ("no traffic", (), ("true",), 0),
            ("no traffic in CI", ("--ci",), ("true",), 121),
            ("a miss in CI", ("--ci",), unknown, 123),
            ("not found", (), ("no-such-command-anywhere",), 127),
            ("not executable", (), (str(self.cassette),), 126),
            ("ended by a signal", (), ("sh", "-c", "kill -TERM $$"), 128 + signal.SIGTERM),
        ):
            with self.subTest(name):
                done = self.replay(*command, options=options)
                self.assertEqual(done.returncode, code, done.stderr)

    def test_auto_that_may_not_record_fails_as_replay_does(self):
        unknown = (*CURL, UNIQUE + "unknown")
        for name, options, environment, code in (
            ("under CI", (), {"CI": "true"}, 123),
            ("under CI, allowed", ("--allow-misses",), {"CI": "true"}, 0),
            ("once", ("--record", "once"), {}, 123),
        ):
            with self.subTest(name):
                done = self.wrapped("auto", options, unknown, env=environment)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn("0 hits, 1 miss\n", done.stderr)

    def test_a_report_that_cannot_be_written_fails_the_run(self):
        nowhere = ("--report", self.folder / "nowhere" / "report.json")
        done = self.replay(*CURL, UNIQUE + "known", options=nowhere)
        self.assertEqual(done.returncode, 125, done.stderr)
        self.assertIn("cannot write the report", done.stderr)

    def test_the_last_line_names_the_cause_of_a_failure(self):
        for options, command, words in (
            ((), (*CURL, UNIQUE + "unknown"), "1 request .*recording"),
            (("--fail-on-unused",), (*CURL, UNIQUE + "known"), "1 recording .*not used"),
            (("--ci",), ("true",), "not one request"),
            ((), ("sh", "-c", "exit 3"), "exit code 3"),
        ):
            with self.subTest(words):
                done = self.replay(*command, options=options)
                self.assertRegex(done.stderr.strip().splitlines()[-1], words)

    def test_a_signal_sent_to_us_reaches_the_command(self):
        started = self.folder / "started"
        script = f"trap 'exit 9' TERM; : > {started}; while :; do sleep 0.05; done"
        command = [str(BINARY), "replay", "--cassette", str(self.cassette), "--", "sh", "-c", script]
        child = subprocess.Popen(command, env=clean_environment(self.folder / "home"), stderr=subprocess.DEVNULL)
        self.addCleanup(child.kill)
        wait_until(started.exists, "the command's start")
        os.kill(child.pid, signal.SIGTERM)
        self.assertEqual(child.wait(20), 9)


class AroundTest(WrappedCase):
    def test_no_traffic_is_said_with_the_way_out(self):
        done = self.record("true")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("not one request", done.stderr)
        self.assertIn("--set-env", done.stderr)

    def test_replay_without_a_file_says_how_to_record_before_it_starts_anything(self):
        started = self.folder / "started"
        done = self.replay("touch", str(started))
        self.assertEqual(done.returncode, 125, done.stderr)
        self.assertFalse(started.exists())
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertIn(str(self.cassette.absolute()), lines[0])
        self.assertIn(f"tapedeck record -c {self.cassette}", lines[0])

    def test_the_path_is_absolute_even_if_it_was_not_given_so(self):
        done = run_tapedeck(self.folder, "replay", "--", "true", cwd=self.folder)
        self.assertIn(str(self.folder / "tapedeck.cassette"), done.stderr)

    def test_the_ready_file_is_whole_and_private(self):
        ready_file = self.folder / "ready.json"
        shown = self.record("sh", "-c", f"cat {ready_file}", options=("--ready-file", str(ready_file)))
        ready = json.loads(shown.stdout)
        members = {"pid", "proxy_url", "base_url", "base_url_tls", "admin_url", "admin_token"}
        members |= {"ca_file", "bundle_file"}
        self.assertLessEqual(members, ready.keys())
        recorder = self.recorder(self.upstream, self.cassette)
        self.assertEqual(stat.S_IMODE(recorder.ready_file.stat().st_mode), 0o600)
        self.stop_clean(recorder)

    def test_what_the_command_leaves_behind_does_not_keep_our_ports(self):
        script = "sleep 60 >/dev/null 2>&1 & echo $! $TAPEDECK_BASE_URL; ls -l /proc/self/fd"
        done = self.record("sh", "-c", script)
        self.assertEqual(done.returncode, 0, done.stderr)
        first_line, _, descriptors = done.stdout.partition("\n")
        left_behind, base_url = first_line.split()
        self.addCleanup(os.kill, int(left_behind), signal.SIGKILL)
        self.assertNotIn("socket:", descriptors)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(base_url.rpartition(":")[2])))

    def test_standard_streams_are_the_commands_own(self):
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        command = [str(BINARY), "record", "--cassette", str(self.cassette), "--", "cat"]
        said = b"from standard input\n"
        done = subprocess.run(command, env=clean_environment(home), input=said, capture_output=True, timeout=60)
        self.assertEqual(done.stdout, said)

    def test_quiet_is_quiet(self):
        done = self.record(*CURL, UNIQUE + "q", options=("-q",))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_env_points_a_shell_at_a_running_tapedeck(self):
        recorder = self.recorder(self.upstream, self.cassette)
        script = f'eval "$({BINARY} env --ready-file {recorder.ready_file})" && exec {" ".join(CURL)} {UNIQUE}env'
        environment = clean_environment(self.folder / "home")
        done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("env ", done.stdout)
        self.stop_clean(recorder)

    def test_a_refused_request_is_told_where_its_client_may_have_kept_silent(self):
        self.assertEqual(self.record(*CURL, UNIQUE + "known").returncode, 0)
        script = f'{" ".join(CURL)} -o /dev/null "$API_URL/__stand_in/unique/known"'
        options = ("--profile", "none", "--host", "api.roaring.io", "--set-env", "API_URL")
        done = self.replay("sh", "-c", script, options=options)
        self.assertIn("1 request was refused: ", done.stderr)
        self.assertIn("--upstream", done.stderr)
        self.assertNotIn("may ignore proxies", done.stderr)

    def test_output_that_cannot_be_written_is_a_failure(self):
        self.record(*CURL, UNIQUE + "output")
        number = json.loads(run_tapedeck(self.folder, "list", "--json", "--cassette", self.cassette).stdout)["id"]
        read_end, write_end = os.pipe()
        os.close(read_end)
        self.addCleanup(os.close, write_end)
        full = os.open("/dev/full", os.O_WRONLY)
        self.addCleanup(os.close, full)
        for words in (("list",), ("list", "--json"), ("show", number), ("show", number, "--raw"), ("takes",)):
            for name, output, said in (("a full disk", full, True), ("a reader that left", write_end, False)):
                with self.subTest(name, words=words):
                    command = [str(word) for word in (BINARY, *words, "--cassette", self.cassette)]
                    done = subprocess.run(
                        command, env=clean_environment(self.folder / "home"), cwd=self.folder, stdout=output,
                        stderr=subprocess.PIPE, text=True, timeout=60, check=False,
                    )  # fmt: skip
                    self.assertEqual((done.returncode, "cannot be written" in done.stderr), (1, said), done.stderr)

    def test_list_and_show_tell_what_is_there(self):
        self.record(*CURL, UNIQUE + "listed", URL + "/se/company/overview/2.0/5500000012")
        listed = run_tapedeck(self.folder, "list", "--cassette", self.cassette)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        for part in ("/__stand_in/unique/listed", "/se/company/overview/2.0/5500000012", "200", "401"):
            self.assertIn(part, listed.stdout)
        line = next(line for line in listed.stdout.splitlines() if "unique/listed" in line)
        shown = run_tapedeck(self.folder, "show", line.split()[0], "--cassette", self.cassette)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("HTTP/1.1 200 OK", shown.stdout)
        self.assertIn("listed ", shown.stdout)
