"""Benchmarks: each measurement is taken beside a calibration on the same machine."""
