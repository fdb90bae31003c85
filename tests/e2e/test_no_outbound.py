"""While replaying, nothing is dialled: not for hits, not for misses, not for hosts nobody ever recorded."""

import re
import subprocess

from support.case import TapedeckCase

# Datagrams to a resolver would show as sendto with an address; a connected socket shows as connect.
TRACE = ("strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg")
# A traced process cannot look for leaks; where the program is built without it, the variable says nothing.
TRACED = {"ASAN_OPTIONS": "detect_leaks=0"}
CURL = ("curl", "-qsS", "--max-time", "20", "--output", "/dev/null")
INTERNET = re.compile(r"sa_family=AF_INET6?\b")


class NoOutboundTest(TapedeckCase):
    def test_replaying_dials_nobody(self):
        cassette = self.folder / "quiet.cassette"
        stand_in = self.stand_in()
        trace = self.folder / "recording.trace"
        recorder = self.recorder(stand_in, cassette, wrapper=(*TRACE, "-o", str(trace)), env=TRACED)
        self.run_session(recorder, "requests", "connect")
        self.stop_clean(recorder)
        self.assertGreater(len(self.dialled(trace)), 0, "the trace must see what is dialled, or it proves nothing")

        # The stand-in goes on listening: nothing but the mode keeps us from dialling it.
        before = len(stand_in.transcripts())
        trace = self.folder / "replaying.trace"
        replayer = self.recorder(stand_in, cassette, mode="replay", wrapper=(*TRACE, "-o", str(trace)), env=TRACED)
        replayed = self.run_session(replayer, "requests", "connect")
        self.assertEqual(replayed["overview"].status, 200)
        self.ask_for_what_is_not_there(replayer)
        self.stop_clean(replayer)
        self.assertEqual(self.dialled(trace), [])
        self.assertEqual(len(stand_in.transcripts()), before)

    def ask_for_what_is_not_there(self, replayer):
        proxy = ["--proxy", replayer.proxy_url, "--cacert", replayer.ca_file]
        for arguments in (
            [*proxy, "https://api.roaring.io/never/recorded"],
            [*proxy, "https://backend.roaring.io/never/recorded"],
            [*proxy, "https://never-recorded.example/"],
            [*proxy, "https://192.0.2.7/"],
            [*proxy, "https://[2001:db8::7]/"],
            [*proxy, "http://never-recorded.example/"],
            [replayer.base_url + "/never/recorded"],
            ["--header", "Host: never-recorded.example", replayer.base_url + "/"],
        ):
            done = subprocess.run(
                [*CURL, "--write-out", "%{http_code} %{http_connect}", *arguments],
                capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"},
            )  # fmt: skip
            # An address asked for by CONNECT is accepted, since the name comes with the handshake; none comes here.
            answered, _ = (int(status) for status in done.stdout.split())
            self.assertTrue(answered == 0 or answered >= 400, (arguments, done.stdout, done.stderr))

    def dialled(self, trace) -> list:
        return [line for line in trace.read_text(errors="replace").splitlines() if INTERNET.search(line)]
