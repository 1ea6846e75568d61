"""Whether pushed rows are where they should be: all of them in PostgreSQL, and the newest of each user online."""

import datetime
import os

import psycopg
import pyarrow as pa
from psycopg import sql

import answers
import data
import larder
import pushes
from client import Client, question
from feast_peer import PUSH, READ
from views import KEY, TIME
from world import USERS, VIEW

SINGLE_PUSHES = 50
# Of so many users, some of whom nothing was pushed of yet, so many at most.
CANDIDATES = 20_000
SAMPLE = 1_000


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def text(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def with_time(rows, moment):
    return rows.append_column(TIME, pa.array([moment] * rows.num_rows, pa.timestamp("us", tz="UTC")))


def check_visible(port):
    """What was pushed is there when the push is answered. Returns how many rows were pushed."""
    client, rng = Client(port), data.generator("visible")
    for _ in range(SINGLE_PUSHES):
        rows, moment = pushes.rows(rng, 1), now()
        report = answers.decoded(*client.post(larder.rows_path(VIEW), pushes.larder_body(rows, text(moment))))
        answers.require("online", report["online"], "published")
        users = rows[KEY].to_pylist()
        answer = answers.decoded(*client.post(larder.ONLINE, question(VIEW.name, users)))
        answers.check_json(answer, users, [VIEW], {VIEW.name: with_time(rows, moment)})
    return SINGLE_PUSHES


def check_feast(port):
    """Feast has what is pushed to it, too."""
    client, rows = Client(port), pushes.rows(data.generator("feast"), 3)
    status, body = client.post(PUSH, pushes.feast_body(rows, text(now())))
    if status != 200:
        raise answers.WrongAnswer(f"Feast answers a push with {status}: {body[:300]!r}")
    answer = answers.decoded(*client.post(READ, question(VIEW.name, rows[KEY].to_pylist())))
    answers.check_feast(answer, VIEW, rows)


class OfflineRows:
    """The view as it is in PostgreSQL, under its own name."""

    def __init__(self):
        self.connection = psycopg.connect(os.environ["LARDER_POSTGRES_URL"], autocommit=True)
        schema, = self.connection.execute(
            r"SELECT schemaname FROM pg_views WHERE viewname = %s AND schemaname LIKE 'larder\_features\_%%'",
            [VIEW.name]).fetchone()
        self.view = sql.Identifier(schema, VIEW.name)

    def count(self):
        return self.connection.execute(sql.SQL("SELECT count(*) FROM {}").format(self.view)).fetchone()[0]

    def newest(self, users):
        """The newest rows of some of them, as a table like those of data.py."""
        names = [KEY, TIME, *VIEW.names]
        columns = [sql.Identifier("__event_timestamp" if name == TIME else name) for name in names]
        query = sql.SQL(
            "SELECT DISTINCT ON ({key}) {columns} FROM {view} WHERE {key} = ANY(%s) ORDER BY {key}, {time} DESC"
            " LIMIT {limit}")
        found = self.connection.execute(query.format(
            key=sql.Identifier(KEY), columns=sql.SQL(", ").join(columns), view=self.view,
            time=sql.Identifier("__event_timestamp"), limit=sql.Literal(SAMPLE)), [users]).fetchall()
        rows = dict(zip(names, map(list, zip(*found)), strict=True))
        return pa.table(rows | {TIME: pa.array(rows[TIME], pa.timestamp("us", tz="UTC"))})


def check_everything(port, offline, expected_count):
    answers.require("the number of rows in PostgreSQL", offline.count(), expected_count)
    candidates = data.generator("sample", expected_count).choice(USERS, CANDIDATES, replace=False)
    rows = offline.newest(candidates.tolist())
    users = rows[KEY].to_pylist()
    answer = answers.decoded(*Client(port).post(larder.ONLINE, question(VIEW.name, users)))
    answers.check_json(answer, users, [VIEW], {VIEW.name: rows})
