"""Mutation testing of the engine: small faults put into its source one at a time, each to be noticed by a test."""
