#!/usr/bin/python3
"""Runs the end-to-end tests: all, or those whose name contains one of the words given.

    tests/e2e/run.py [WORD…]

TAPEDECK_BINARY names the program (build/release/tapedeck); TAPEDECK_KILLS how often the kill test kills (10);
TAPEDECK_MUTATIONS how many messages are changed a little (2000); TAPEDECK_SEED repeats a run of any of these and of
the canaries.
"""

import sys
import time
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))


class LineResult(unittest.TestResult):
    """One line a test, and what went wrong directly below it."""

    def __init__(self):
        super().__init__()
        self.passed = self.failed = 0
        self._begin = 0.0
        self._details = []

    def startTest(self, test):
        super().startTest(test)
        self._begin = time.monotonic()
        self._details = []

    def stopTest(self, test):
        super().stopTest(test)
        seconds = time.monotonic() - self._begin
        if self._details:
            self.failed += 1
        else:
            self.passed += 1
        print(f"{'FAILED' if self._details else 'ok    '} {test.id()} ({seconds:.1f} s)")
        for detail in self._details:
            print("    " + detail.rstrip().replace("\n", "\n    "))
        sys.stdout.flush()

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self._details.append(f"{subtest._subDescription()}\n{self._exc_info_to_string(error, test)}")

    def addFailure(self, test, error):
        self._details.append(self._exc_info_to_string(error, test))

    def addError(self, test, error):
        if isinstance(test, unittest.TestCase):
            self._details.append(self._exc_info_to_string(error, test))
        else:
            # A class or module that could not be set up is no test, but it must not pass unseen.
            self.failed += 1
            print(f"FAILED {test.id()}\n{self._exc_info_to_string(error, test)}")

    def addSkip(self, test, reason):
        # Whatever a test needs is installed by the task runner, so a skip is a failure.
        self._details.append(f"skipped: {reason}")


def flatten(suite) -> list:
    return [test for part in suite for test in (flatten(part) if isinstance(part, unittest.TestSuite) else [part])]


def main(words: list) -> int:
    tests = flatten(unittest.defaultTestLoader.discover(str(FOLDER), pattern="test_*.py"))
    chosen = [test for test in tests if not words or any(word in test.id() for word in words)]
    result = LineResult()
    unittest.TestSuite(chosen).run(result)
    print(f"{result.passed} passed, {result.failed} failed")
    return 1 if result.failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
