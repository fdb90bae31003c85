"""What the benchmark makes of its figures: a wrong one would go unnoticed, since nobody knows the right ones."""

import sys
import unittest
from dataclasses import replace
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "bench"))

import report
from load import read_h2load
from ratios import Reading, Row, Side, complaints, kept_with, sum_of_errors

H2LOAD = """
finished in 1.95s, 1024.81 req/s, 0B/s
requests: 2000 total, 2000 started, 2000 done, 1990 succeeded, 10 failed, 3 errored, 0 timeout
"""


def row(
    name="replay tls", theirs=(10.0, 20.0, 10.0), ours=(5.0, 8.0, 9.0), limit=0.5, their_errors=None, our_errors=None
):
    reference = Side("nginx", list(theirs), [], their_errors or {})
    return Row(name, "µs", reference, Side("tapedeck", list(ours), [], our_errors or {}), limit)


class Ratios(unittest.TestCase):
    def test_a_ratio_is_the_median_of_those_within_each_pair(self):
        self.assertEqual(row().ratios(), [0.5, 0.4, 0.9])
        self.assertEqual(row().ratio(), 0.5)

    def test_a_limit_is_met_or_missed(self):
        for limit, met in ((0.5, True), (0.49, False), (None, None)):
            with self.subTest(limit=limit):
                self.assertIs(row(limit=limit).met(), met)

    def test_there_is_no_ratio_where_anything_went_wrong(self):
        cases = {
            "errors at nginx: 2 status": row(their_errors={"status": 2, "read": 0}),
            "errors at tapedeck: 1 read, 1 timeout": row(our_errors={"read": 1, "timeout": 1}),
            "nothing was counted at tapedeck": row(ours=(5.0, 0.0, 9.0)),
            "nothing was counted at nginx": row(theirs=()),
            "not as many slices on both sides": row(ours=(5.0, 8.0)),
        }
        for trouble, bad in cases.items():
            with self.subTest(trouble):
                self.assertEqual(bad.trouble(), trouble)
                self.assertEqual(bad.ratios(), [])
                self.assertIsNone(bad.ratio())
                self.assertIsNone(bad.met())
                self.assertIsNone(bad.as_json()["ratio_median"])
                self.assertIn(f"no ratio: {trouble}", report.row_line(bad))

    def test_errors_of_slices_are_added(self):
        self.assertEqual(sum_of_errors([{"read": 1}, {}, {"read": 2, "status": 3}]), {"read": 3, "status": 3})

    def test_a_reading_has_a_limit_on_either_side(self):
        self.assertTrue(Reading("memory", "MB", [70, 60, 10], 64).met())
        self.assertFalse(Reading("resumed", "of 20", [19], 20, at_least=True).met())
        self.assertTrue(Reading("resumed", "of 20", [20], 20, at_least=True).met())
        self.assertIsNone(Reading("memory", "MB", [60], 64, errors={"read": 1}).met())
        self.assertTrue(Reading("memory", "MB", []).trouble())


class KeptRatios(unittest.TestCase):
    def test_what_got_worse_by_more_than_a_fifth_is_named(self):
        cases = {  # kept: complaints about a ratio of 0.5
            0.5: [],
            0.42: [],
            0.41: ["replay tls: 0.50, kept as 0.41: worse by 22%"],
        }
        for kept, expected in cases.items():
            with self.subTest(kept=kept):
                self.assertEqual(complaints({"replay tls": kept}, [row()], ""), expected)

    def test_a_kept_ratio_that_is_not_there_any_more_is_named(self):
        gone = ["replay plain: kept as 0.60, and there is no ratio now"]
        for rows in ([row()], [row("replay plain", our_errors={"read": 1})]):
            self.assertEqual(complaints({"replay plain": 0.6}, rows, ""), gone)

    def test_rows_that_were_not_asked_for_are_not_missed(self):
        self.assertEqual(complaints({"big hot keys": 1.0, "replay tls": 0.5}, [row()], "replay"), [])

    def test_keeping_a_part_leaves_the_rest(self):
        rows = [row(), row("replay plain", our_errors={"read": 1})]
        kept = kept_with({"replay tls": 0.9, "big hot keys": 1.1, "replay plain": 0.6}, rows)
        self.assertEqual(kept, {"big hot keys": 1.1, "replay plain": 0.6, "replay tls": 0.5})

    def test_what_is_not_of_tapedeck_is_not_kept(self):
        of_the_machine = replace(row("replay plain, the least server"), is_tapedeck=False)
        self.assertEqual(kept_with({}, [row(), of_the_machine]), {"replay tls": 0.5})


class Outputs(unittest.TestCase):
    def test_failures_are_read_from_h2load(self):
        read = read_h2load(H2LOAD)
        self.assertEqual((read.requests, read.errors), (1990, {"failed": 10, "errored": 3}))
        self.assertAlmostEqual(read.requests_per_second, 1990 / 1.95)
        self.assertIsNone(read_h2load("finished in nothing"))

    def test_the_report_is_120_columns_wide_at_most(self):
        wide = Side("mitmproxy", [9999.0, 9999.0], [999999.0])
        lines = [
            report.row_line(Row("n" * 37, "µs", wide, Side("tapedeck", [833.0, 831.0], [999999.0]), 1 / 12)),
            report.reading_line(Reading("n" * 55, "ms", [-1.99, 12.3], 1.0)),
            *report.heading("title").splitlines(),
        ]
        for line in lines:
            with self.subTest(line):
                self.assertLessEqual(len(line), 120)


if __name__ == "__main__":
    unittest.main()
