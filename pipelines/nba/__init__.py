"""The reference pipeline: from published box scores to published predictions of the day's players."""
