"""The rows of the table. Each asks everybody once without the clock, so that what is measured is warm, and then in rounds."""

from collections import defaultdict
from statistics import median

from definitions import VIEWS
from engines import DUCKDB, FEAST, POLARS

USERS = [VIEWS["user_stats"]]
WEATHER = [VIEWS["flight_weather"]]
FIVE = [VIEWS[name] for name in ("user_stats", "user_spending", "user_activity", "user_profile", "user_risk")]

# One in so many flights, of the whole year, for Feast. A month would be another question: Feast would read a month of
# weather only, and its join has the time as a filter over all pairs of flights and observations of an airport.
FEAST_SLICE = 12


def turned(engines, turn):
    """Who comes first changes, so that nobody always comes after the same one."""
    turn %= len(engines)
    return engines[turn:] + engines[:turn]


def side_by_side(bench, name, views, peers, new_spine):
    """Larder and every peer with the same spine, in turn. The fastest way of asking the peer is the one that counts."""
    engines, measured = [bench.larder, *peers], defaultdict(list)
    for turn in range(bench.rounds + 1):
        spine = new_spine()
        for engine in turned(engines, turn):
            one = bench.ask(engine, views, spine)
            if turn > 0:
                measured[engine].append(one)
        bench.check(views, spine, peers)
        bench.forget(spine)
    medians = {engine: bench.report.seconds(f"{name}_{engine.name}", measured[engine]) for engine in engines}
    for peer in peers:
        bench.report.figure(f"{name}_share_of_{peer.name}", medians[bench.larder] / medians[peer], "ratio")
    return medians[bench.larder], min(medians[peer] for peer in peers if not peer.is_rewritten)


def flights(bench):
    own, peer = side_by_side(bench, "flights", WEATHER, POLARS, lambda: bench.spine_of_flights("flights"))
    bench.report.judged("flights_share_of_polars", own / peer)


def feast(bench):
    own, peer = side_by_side(bench, "feast", WEATHER, FEAST, lambda: bench.spine_of_flights("feast", FEAST_SLICE))
    bench.report.judged("feast_times_faster", peer / own)


def users(name, spine_rows):
    def measure(bench):
        # Small spines touch few pages, and each is a new one: what is measured is a warm cache, so all pages are read once.
        checked(bench, USERS, lambda: bench.spine_of_users("warm", 1_000_000))
        own, peer = side_by_side(bench, name, USERS, DUCKDB, lambda: bench.spine_of_users(name, spine_rows))
        bench.report.judged(f"{name}_share_of_duckdb", own / peer)

    return measure


def checked(bench, views, new_spine, is_sampled=False):
    """A run of Larder alone, on a spine of its own, and its answer checked."""
    spine = new_spine()
    one = bench.ask(bench.larder, views, spine, is_sampled)
    bench.check(views, spine)
    bench.forget(spine)
    return one


def cold(bench):
    warm_runs, cold_runs = [], []
    new_spine = lambda: bench.spine_of_users("cold", 1_000_000)
    for _ in range(bench.rounds):
        checked(bench, USERS, new_spine)
        warm_runs.append(checked(bench, USERS, new_spine))
        bench.restart_cold()
        cold_runs.append(checked(bench, USERS, new_spine))
    warm = bench.report.seconds("cold_larder_warm", warm_runs)
    bench.report.judged("cold_share_of_warm", bench.report.seconds("cold_larder_cold", cold_runs) / warm)


def memory(bench):
    """The peer is the way of asking DuckDB that counts for its time as well: any of them could be slow in less memory."""
    engines, measured = [bench.larder, *DUCKDB], defaultdict(list)
    for turn in range(bench.rounds):
        spine = bench.spine_of_users("memory", 1_000_000)
        for engine in turned(engines, turn):
            measured[engine].append(bench.ask(engine, USERS, spine, is_sampled=True))
        bench.check(USERS, spine, DUCKDB)
        bench.forget(spine)
    peaks = {engine: bench.report.memory(f"memory_{engine.name}", measured[engine]) for engine in engines}
    for peer in DUCKDB:
        bench.report.figure(f"memory_share_of_{peer.name}", peaks[bench.larder] / peaks[peer], "ratio")
    counted = [peer for peer in DUCKDB if not peer.is_rewritten]
    fastest = min(counted, key=lambda peer: median(one.seconds for one in measured[peer]))
    bench.report.judged("memory_share_of_duckdb", peaks[bench.larder] / peaks[fastest])


def five_views(bench):
    """Five views in one run against the sum of a run for each."""
    new_spine = lambda: bench.spine_of_users("five_views", 1_000_000)
    asked = [FIVE, *([view] for view in FIVE)]
    measured = [[] for _ in asked]
    for turn in range(bench.rounds + 1):
        for place in turned(list(range(len(asked))), turn):
            one = checked(bench, asked[place], new_spine)
            if turn > 0:
                measured[place].append(one)
    at_once = bench.report.seconds("five_views_at_once", measured[0])
    one_by_one = [
        bench.report.seconds(f"five_views_{view.name}", runs) for view, runs in zip(FIVE, measured[1:], strict=True)]
    bench.report.figure("five_views_one_by_one_seconds", sum(one_by_one), "s")
    bench.report.judged("five_views_share_of_one_by_one", at_once / sum(one_by_one))


def ten_million(bench):
    """Time and memory in runs of their own: sampling takes time."""
    sizes, times, peaks = {"1m": 1_000_000, "10m": 10_000_000}, defaultdict(list), defaultdict(list)
    checked(bench, USERS, lambda: bench.spine_of_users("10m", sizes["1m"]))
    for _ in range(bench.rounds):
        for size, count in sizes.items():
            new_spine = lambda: bench.spine_of_users("10m", count)
            times[size].append(checked(bench, USERS, new_spine))
            peaks[size].append(checked(bench, USERS, new_spine, is_sampled=True))
    seconds = {size: bench.report.seconds(f"10m_larder_{size}", times[size]) for size in sizes}
    bytes_ = {size: bench.report.memory(f"10m_larder_{size}", peaks[size]) for size in sizes}
    bench.report.judged("10m_share_of_1m", seconds["10m"] / seconds["1m"])
    bench.report.judged("10m_memory_share_of_1m", bytes_["10m"] / bytes_["1m"])


ROWS = {
    "flights": flights,
    "feast": feast,
    "10k": users("10k", 10_000),
    "100k": users("100k", 100_000),
    "1m": users("1m", 1_000_000),
    "cold": cold,
    "memory": memory,
    "five_views": five_views,
    "10m": ten_million,
}
