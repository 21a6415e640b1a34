"""Benchmarks: paired in one run, pinned to one core, printed as ratios. None of them is a test."""
