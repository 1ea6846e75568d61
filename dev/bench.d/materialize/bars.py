"""What each figure of the benchmark has to reach, and what it aims at. Nothing else decides over pass and fail."""

from report import Bar, at_most

# By the name of the figure that is printed.
BARS = {
    # Larder's entities per second by those of `redis-cli --pipe` with the same keys, values and expiries.
    "share_of_redis_pipe": Bar(0.30, 0.50),
    "memory": at_most(300, unit="MiB"),
    # Kills that came before what was computed had been committed, and kills that left some keys old and some new.
    "kill_while_computing": Bar(2, unit="kills"),
    "kill_while_publishing": Bar(2, unit="kills"),
    # Answers that were neither the old nor the new one, or the old one after the new one, or in the end not the new one.
    "kill_wrong_values": at_most(0, unit="answers"),
}
