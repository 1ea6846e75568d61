"""What each figure of the benchmark has to reach, and what it aims at. Nothing else decides over pass and fail."""

from report import Bar, at_most

# By the name of the figure that is printed.
BARS = {
    # Larder's requests per second by those of redis-benchmark's MGET of the same values, or of Feast's server.
    "json_1_share_of_redis": Bar(0.50, 0.65),
    "json_10_share_of_redis": Bar(0.28, 0.45),
    "json_100_share_of_redis": Bar(0.20, 0.35),
    "arrow_100_share_of_redis": Bar(0.35, 0.55),
    "feast_1_times_faster": Bar(50, 80),
    "feast_10_times_faster": Bar(40, 60),
    "feast_100_times_faster": Bar(40, 70),
    # Larder's p99 by that of Redis.
    "latency_p99_times_redis": at_most(4, 2),
    "five_views_p99": at_most(25, 10, "ms"),
    # Larder's bytes by Feast's.
    "bytes_share_of_feast": at_most(0.65, 0.55),
}
