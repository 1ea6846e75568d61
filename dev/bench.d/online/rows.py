"""The rows of the table."""

from statistics import median

import check
import feast_peer
import larder
import memory
import questions
from forwarder_peer import forwarding
from generators import wrk
from redis_peer import port as redis_port
from rounds import in_turn
from report import say
from world import FIVE, ONE


def beside_redis(name, entities, accept="application/json"):
    """Larder and redis-benchmark in turn, both with 64 connections."""

    def measure(bench):
        if accept == larder.ARROW:
            check.check_larder(bench.port, bench.users, ONE.name, [ONE], bench.truths, accept)
        rates = in_turn(bench.rounds, {
            "larder": bench.larder_side(entities, accept), "redis": bench.redis_side(entities)})
        for side, rate in rates.items():
            bench.report.rate(f"{name}_{side}", rate, "requests")
        bench.report.judged(f"{name}_share_of_redis", rates["larder"] / rates["redis"])

    return measure


def beside_feast(name, entities):
    """Feast with the number of connections that it is faster with."""

    def measure(bench):
        sides = {"larder": bench.larder_side(entities)}
        for connections in feast_peer.CONNECTIONS:
            sides[f"feast_{connections}_connections"] = bench.feast_side(entities, connections)
        rates = in_turn(bench.rounds, sides, ".1f")
        for side, rate in rates.items():
            bench.report.rate(f"{name}_{side}", rate, "requests")
        best = max(rate for side, rate in rates.items() if side != "larder")
        bench.report.judged(f"{name}_times_faster", rates["larder"] / best)

    return measure


def at_half_load(bench, name, server, port, saturate):
    """The p99 of a server at a constant rate, half of what it can do at most, by that of Redis at the same rate.
    redis-benchmark knows no rate, so that load.c sends to both."""
    rate = median(saturate(turn) for turn in range(bench.rounds)) / 2
    bench.report.rate(name, rate, "requests")
    http = questions.write_http(bench.work, "latency", larder.ONLINE, ONE.name, bench.users, 1)
    mget = questions.write_mget(bench.work, bench.copies, bench.users)
    loads = {server: ("http", port, http), "redis": ("resp", redis_port(), mget)}
    delays = dict.fromkeys(loads, 0)

    def side(name):
        protocol, port, requests = loads[name]

        def measure(turn):
            load = bench.load.at_rate(protocol, port, requests, rate, bench.seconds, seed=turn)
            delays[name] = max(delays[name], load.delay_p99_microseconds)
            return load.p99_microseconds

        return measure

    p99 = in_turn(bench.rounds, {name: side(name) for name in loads})
    for side, microseconds in p99.items():
        bench.report.figure(f"{name}_{side}_p99", microseconds, "us", ".0f")
        say(f"   {side}: of that at most {delays[side]:.0f} us until a request was on its way")
    return p99[server] / p99["redis"]


def latency(bench):
    ratio = at_half_load(bench, "latency", "larder", bench.port, bench.larder_side(1))
    bench.report.judged("latency_p99_times_redis", ratio)


def forwarder(bench):
    """The same of a server that does nothing but forward: what the machine leaves to any server. No bar."""
    mget = questions.write_mget(bench.work, bench.copies, bench.users)
    requests = questions.write_http(bench.work, "json", larder.ONLINE, ONE.name, bench.users, 1)
    with forwarding(bench.forward, mget, bench.work / "forward.log") as port:

        def saturate(turn):
            return wrk(port, requests, 64, bench.seconds, seed=turn + 1).rate

        ratio = at_half_load(bench, "forwarder", "forwarder", port, saturate)
    bench.report.figure("forwarder_p99_times_redis", ratio, "ratio")


def five_views(bench):
    """50 features, 100 entities, 100 requests a second. A request that fails would end the benchmark."""
    check.check_larder(bench.port, bench.users, "five_views", FIVE, bench.truths)
    requests = questions.write_http(bench.work, "five", larder.ONLINE, "five_views", bench.users, 100)
    loads = [
        bench.load.at_rate("http", bench.port, requests, 100, 3 * bench.seconds, seed=turn)
        for turn in range(bench.rounds)]
    say(f"   p99: {', '.join(f'{load.p99_microseconds / 1000:.2f}' for load in loads)} ms")
    bench.report.figure("five_views_errors", sum(load.errors for load in loads), "requests", ".0f")
    bench.report.figure("five_views_p50", median(load.p50_microseconds for load in loads) / 1000, "ms")
    bench.report.judged("five_views_p99", median(load.p99_microseconds for load in loads) / 1000)


ROWS = {
    "json_1": beside_redis("json_1", 1),
    "json_10": beside_redis("json_10", 10),
    "json_100": beside_redis("json_100", 100),
    "arrow_100": beside_redis("arrow_100", 100, larder.ARROW),
    "feast_1": beside_feast("feast_1", 1),
    "feast_10": beside_feast("feast_10", 10),
    "feast_100": beside_feast("feast_100", 100),
    "latency": latency,
    "forwarder": forwarder,
    "five_views": five_views,
    "bytes": memory.measure,
}
