"""What each row of the benchmark has to reach, and what it aims at. Nothing else decides over pass and fail."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    must: float
    aim: float | None = None
    is_at_least: bool = False

    def is_reached(self, value, bar):
        return value >= bar if self.is_at_least else value <= bar


# By the name of the figure that is printed. All are ratios: Larder by its peer, or one run of Larder by another.
BARS = {
    "flights_share_of_polars": Bar(1.0, 0.6),
    "feast_times_faster": Bar(150, 400, is_at_least=True),
    "10k_share_of_duckdb": Bar(0.06, 0.035),
    "100k_share_of_duckdb": Bar(0.25, 0.14),
    "1m_share_of_duckdb": Bar(0.9, 0.6),
    "cold_share_of_warm": Bar(4, 2),
    "memory_share_of_duckdb": Bar(0.35, 0.2),
    "five_views_share_of_one_by_one": Bar(0.8, 0.5),
    "10m_share_of_1m": Bar(12, 10),
    # "Memory flat": the spine grows tenfold, the peak may not grow by more than a quarter.
    "10m_memory_share_of_1m": Bar(1.25),
}
