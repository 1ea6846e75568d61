"""Compares answers value by value. Larder's has to have the spine's rows in the spine's order as well."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc


class WrongAnswer(Exception):
    pass


def open_answer(path):
    return ipc.open_file(pa.memory_map(str(path))).read_all()


def plain(column):
    """One array, with strings in one of the many ways that Arrow has for them."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        kind = pa.string()
    if pa.types.is_timestamp(kind):
        kind = pa.timestamp("us", tz="UTC")
    return pa.concat_arrays(column.cast(kind).chunks) if column.num_chunks else pa.array([], kind)


def require_equal(what, found, expected):
    if found.equals(expected):
        return
    if found.type != expected.type:
        raise WrongAnswer(f"{what} is {found.type}, not {expected.type}")
    if len(found) != len(expected):
        raise WrongAnswer(f"{what} has {len(found)} rows, not {len(expected)}")
    same = pc.or_(pc.fill_null(pc.equal(found, expected), False), pc.and_(found.is_null(), expected.is_null()))
    wrong = np.flatnonzero(~same.to_numpy(zero_copy_only=False))
    if len(wrong):
        first = int(wrong[0])
        raise WrongAnswer(f"{what} differs in {len(wrong)} rows, first in row {first}: {found[first]}, not {expected[first]}")


def check_spine(answer, spine):
    """The spine's columns are there, untouched."""
    for name in spine.column_names:
        require_equal(f"the spine's column {name}", plain(answer[name]), plain(spine[name]))


def check_features(answer, names, other, other_names, who):
    """Equal features in equal rows. The other answer may have its rows in any order: row_id counts from 1, or at
    least tells them apart."""
    if other.num_rows != answer.num_rows:
        raise WrongAnswer(f"{who} has {other.num_rows} rows, Larder {answer.num_rows}")
    order = np.argsort(other["row_id"].to_numpy(), kind="stable")
    own_ids = answer["row_id"].to_numpy()
    place = np.empty(len(order), np.int64)
    place[np.argsort(own_ids, kind="stable")] = order
    place = pa.array(place)
    require_equal("row_id", pa.array(own_ids), pa.array(other["row_id"].to_numpy()).take(place))
    for name, other_name in zip(names, other_names, strict=True):
        require_equal(f"{name} (beside {who}'s)", plain(answer[name]), plain(other[other_name]).take(place))
