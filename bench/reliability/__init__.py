"""Reliability in numbers: the same days and incidents for a coordinator that counts messages, and for ours."""
