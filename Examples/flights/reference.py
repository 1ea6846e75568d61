"""The right answers for the feature views of feature-defs/flights, found without Larder.

Reads only the CSV files that fetch.py writes. Times are int64 microseconds since 1970, in UTC. What the queries in
feature-defs/flights/aggregates.yaml say in SQL is said here a second time, in other words; the two share nothing.
"""

import pathlib

import numpy
import pandas

MINUTE = 60 * 1_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
GRACE = 7 * DAY
ALWAYS = numpy.iinfo(numpy.int64).min  # the event time of a row that has none

PRESENT, NULL_VALUE, NOT_FOUND = "PRESENT", "NULL_VALUE", "NOT_FOUND"
OUTSIDE_MAX_AGE, DEFAULTED, INVALID_KEY = "OUTSIDE_MAX_AGE", "DEFAULTED", "INVALID_KEY"


class View:
    """One feature view: its rows, and the newest row for some keys at some time.

    `rows` has the columns of `keys`, `time`, and one for each feature, in the order in which the rows were written.
    `request_keys` are the names of the keys in a spine, where those differ. `filled_in` has the default, or None, of
    each feature that came to the view after its rows were written.
    """

    def __init__(self, name, rows, keys, features, ttl=None, request_keys=None, view=None):
        self.name = name
        self.view = view or name
        self.keys = keys
        self.request_keys = request_keys or keys
        self.features = features
        self.ttl = ttl
        self.filled_in = {}
        # Stable, so that of two rows with equal keys and times the one written later comes last.
        self.rows = rows.sort_values("time", kind="stable").reset_index(drop=True)
        self.times = self.rows["time"].to_numpy()
        self.positions = {(): numpy.arange(len(self.rows))}
        if keys:
            self.positions = {
                key if isinstance(key, tuple) else (key,): positions
                for key, positions in self.rows.groupby(keys, sort=False).indices.items()
            }

    def winners(self, spine):
        """For each spine row the position of the newest row at its `time`, or -1, and the status of that row."""
        count = len(spine)
        winners = numpy.full(count, -1)
        statuses = numpy.full(count, NOT_FOUND, dtype=object)
        if self.request_keys:
            frame = spine[self.request_keys]
            statuses[frame.isna().any(axis=1).to_numpy()] = INVALID_KEY
            groups = frame.reset_index(drop=True).dropna().groupby(self.request_keys, sort=False).indices
        else:
            groups = {(): numpy.arange(count)}
        complete = numpy.flatnonzero(statuses != INVALID_KEY)
        times = spine["time"].to_numpy()
        for key, members in groups.items():
            candidates = self.positions.get(key if isinstance(key, tuple) else (key,))
            if candidates is None:
                continue
            asking = complete[members]
            # How many of the key's rows are not in the future: event time <= t.
            known = numpy.searchsorted(self.times[candidates], times[asking], side="right")
            some = known > 0
            winners[asking[some]] = candidates[known[some] - 1]
        found = winners >= 0
        statuses[found] = PRESENT
        if self.ttl is not None:
            age = times[found] - self.times[winners[found]]
            aged = statuses[found]
            aged[age > self.ttl] = OUTSIDE_MAX_AGE
            aged[age > self.ttl + GRACE] = NOT_FOUND
            statuses[found] = aged
        return winners, statuses

    def answers(self, spine):
        """{feature: (values, statuses)} and the winners' event times, aligned with the spine; null is None."""
        winners, row_statuses = self.winners(spine)
        usable = row_statuses == PRESENT
        answers = {}
        for feature in self.features:
            column = self.rows[feature].astype(object).where(self.rows[feature].notna(), None).to_numpy()
            values = numpy.full(len(spine), None, dtype=object)
            statuses = row_statuses.copy()
            if feature in self.filled_in:
                values[usable] = self.filled_in[feature]
                statuses[usable] = DEFAULTED
            else:
                values[usable] = column[winners[usable]]
                statuses[usable & (values == None)] = NULL_VALUE  # noqa: E711: elementwise
            answers[feature] = (values, statuses)
        times = numpy.full(len(spine), None, dtype=object)
        times[usable] = self.times[winners[usable]]
        return answers, times


def read(directory, name):
    # Pandas' default parser of floats is off by one bit now and then.
    return pandas.read_csv(
        pathlib.Path(directory) / name, keep_default_na=False, na_values=[""], float_precision="round_trip",
        low_memory=False,
    )


def whole(column):
    """A column of integers that pandas made floats because some are missing."""
    return column.astype("Int64")


def microseconds(times):
    return times.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]").astype("int64")


def clock(hhmm):
    return pandas.to_timedelta(hhmm // 100 * 60 + hhmm % 100, unit="min")


def departures(flights):
    """Scheduled departures, from local times in New York."""
    days = pandas.to_datetime(flights[["year", "month", "day"]])
    return (days + clock(flights["sched_dep_time"])).dt.tz_localize("America/New_York")


def arrivals(flights, airports):
    """The flights that arrived, with `arrived`.

    The scheduled arrival is the first time after the scheduled departure at which a clock at the destination shows
    sched_arr_time; arr_delay minutes later the flight is there.
    """
    arrived = flights[flights["arr_delay"].notna()].copy()
    zones = arrived["dest"].map(airports.set_index("faa")["tzone"])
    # Puerto Rico and the Virgin Islands, which airports.csv leaves out, share one time without daylight saving.
    missing = arrived["dest"].isin(["BQN", "PSE", "SJU", "STT"])
    assert (zones.isna() == missing).all()
    zones = zones.fillna("America/Puerto_Rico")
    departing = departures(arrived)
    scheduled = []
    for zone, members in departing.groupby(zones):
        local = members.dt.tz_convert(zone).dt.tz_localize(None)
        landing = local.dt.normalize() + clock(arrived.loc[members.index, "sched_arr_time"])
        landing = landing.where(landing > local, landing + pandas.Timedelta(days=1))
        # A time that exists twice is the later one; one that a clock change skips is counted on from before it.
        landing = landing.dt.tz_localize(
            zone, ambiguous=numpy.zeros(len(landing), dtype=bool), nonexistent=pandas.Timedelta(hours=1)
        )
        scheduled.append(landing.dt.tz_convert("UTC"))
    instants = pandas.concat(scheduled).reindex(arrived.index)
    arrived["arr_delay"] = arrived["arr_delay"].astype("int64")
    arrived["arrived"] = microseconds(instants) + arrived["arr_delay"] * MINUTE
    return arrived


def trailing(times, amounts, at, length):
    """Sum and count of the amounts with at - length <= time <= at; `times` ascend. Exact: all integers."""
    sums = numpy.concatenate([[0], numpy.cumsum(amounts)])
    last = numpy.searchsorted(times, at, side="right")
    first = numpy.searchsorted(times, at - length, side="left")
    return sums[last] - sums[first], last - first


def carrier_delays(arrived):
    parts = []
    for carrier, flights in arrived.sort_values("arrived").groupby("carrier"):
        times, delays = flights["arrived"].to_numpy(), flights["arr_delay"].to_numpy()
        instants = numpy.unique(times)
        day, day_count = trailing(times, delays, instants, DAY)
        week, week_count = trailing(times, delays, instants, 7 * DAY)
        parts.append(
            pandas.DataFrame({
                "carrier": carrier, "time": instants,
                "mean_delay_1d": day / day_count, "flights_1d": day_count,
                "mean_delay_7d": week / week_count, "flights_7d": week_count,
            })
        )
    return pandas.concat(parts, ignore_index=True)


def route_delays(arrived):
    parts = []
    for (origin, dest), flights in arrived.sort_values("arrived").groupby(["origin", "dest"]):
        days, delays = flights["arrived"].to_numpy() // DAY, flights["arr_delay"].to_numpy()
        ends = numpy.unique(days)
        total, count = trailing(days, delays, ends, 13)
        worst = [delays[(days >= end - 13) & (days <= end)].max() for end in ends]
        parts.append(
            pandas.DataFrame({
                "origin": origin, "dest": dest, "time": (ends + 1) * DAY,
                "mean_delay_14d": total / count, "worst_delay_14d": worst, "flights_14d": count,
            })
        )
    return pandas.concat(parts, ignore_index=True)


def system_state(arrived):
    hours, delays = arrived["arrived"].to_numpy() // HOUR, arrived["arr_delay"].to_numpy()
    every = numpy.arange(hours.min(), hours.max() + 1)
    offset = hours - hours.min()
    counts = numpy.bincount(offset, minlength=len(every))
    late = numpy.bincount(offset, weights=delays > 15, minlength=len(every))
    total = numpy.bincount(offset, weights=delays, minlength=len(every))
    with numpy.errstate(invalid="ignore"):
        return pandas.DataFrame({
            "time": (every + 1) * HOUR, "arrivals_1h": counts,
            "share_late_1h": late / counts, "mean_delay_1h": total / counts,
        })


WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib", "is_freezing"]
PLANE = ["year_built", "plane_type", "manufacturer", "model", "engines", "seats", "speed", "engine"]


def views(directory):
    """Every view of the service departure_delay, in its order, and the flights."""
    weather = read(directory, "weather.csv")
    weather["time"] = microseconds(pandas.to_datetime(weather["time_hour"], utc=True))
    weather["wind_dir"] = whole(weather["wind_dir"])
    weather["is_freezing"] = (weather["temp"] <= 32).astype("boolean").mask(weather["temp"].isna())
    planes = read(directory, "planes.csv").rename(columns={"year": "year_built", "type": "plane_type"})
    planes = planes.assign(year_built=whole(planes["year_built"]), speed=whole(planes["speed"]), time=ALWAYS)
    airlines = read(directory, "airlines.csv").rename(columns={"name": "airline_name"}).assign(time=ALWAYS)
    flights = read(directory, "flights.csv")
    arrived = arrivals(flights, read(directory, "airports.csv"))
    return flights, [
        View("airport_weather", weather, ["origin"], WEATHER, ttl=6 * HOUR),
        View("dest_weather", weather, ["origin"], WEATHER, 6 * HOUR, request_keys=["dest"], view="airport_weather"),
        View("plane_profile", planes, ["tailnum"], PLANE),
        View("carrier_profile", airlines, ["carrier"], ["airline_name"]),
        View("carrier_delays", carrier_delays(arrived), ["carrier"],
             ["mean_delay_1d", "flights_1d", "mean_delay_7d", "flights_7d"], ttl=DAY),
        View("route_delays", route_delays(arrived), ["origin", "dest"],
             ["mean_delay_14d", "worst_delay_14d", "flights_14d"], ttl=3 * DAY),
        View("system_state", system_state(arrived), [], ["arrivals_1h", "share_late_1h", "mean_delay_1h"],
             ttl=2 * HOUR),
    ]


def plain(value):
    """A Python value of a numpy one, so that both sides of a comparison have the same types."""
    return value.item() if isinstance(value, numpy.generic) else value


def equal(left, right):
    """Equal in type, too: 1, 1.0 and True are three different values."""
    return type(left) is type(right) and left == right
