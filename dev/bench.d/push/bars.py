"""What each figure of the benchmark has to reach. Nothing else decides over pass and fail."""

from report import Bar

# By the name of the figure that is printed: Larder's rows per second, durable in PostgreSQL and visible online, by those
# of Feast, online only.
BARS = {
    "single_times_feast": Bar(5),
    "batch_times_feast": Bar(10),
}
