"""What each figure of the benchmark has to reach, and what it aims at. Nothing else decides over pass and fail."""

from report import Bar, at_most

# By the name of the figure that is printed.
BARS = {
    # Larder's entities per second by those of `redis-cli --pipe` with the same keys, values and expiries.
    "share_of_redis_pipe": Bar(0.30, 0.50),
    "memory": at_most(300, unit="MiB"),
}
