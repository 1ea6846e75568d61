"""Features that two views get when rows of theirs are stored already, as definitions and as the right answers.

Until the rows are computed again, an added feature has its default where a row answers, or null if it has no default.
"""

import copy
import pathlib
import shutil

DEFINITIONS = pathlib.Path(__file__).resolve().parents[2] / "feature-defs" / "flights"

# In each view: a feature whose default is a usual value, one whose default is never a value, and one without a default.
LINES = {
    "airport_weather": [
        "{name: is_hot, type: bool, expr: temp >= 85, default: false}",
        "{name: sight, type: string, expr: \"CASE WHEN visib < 3 THEN 'poor' ELSE 'good' END\", default: unknown}",
        "{name: is_gusty, type: bool, expr: wind_gust >= 25}",
    ],
    "plane_profile": [
        "{name: is_wide_body, type: bool, expr: seats >= 200, default: false}",
        "{name: seats_per_engine, type: int32, expr: seats / engines, default: -1}",
        "{name: is_fast, type: bool, expr: speed >= 400}",
    ],
}
DEFAULTS = {
    "airport_weather": {"is_hot": False, "sight": "unknown", "is_gusty": None},
    "plane_profile": {"is_wide_body": False, "seats_per_engine": -1, "is_fast": None},
}


def write_definitions(folder):
    """Copies the definitions of the project into `folder`, with the features added."""
    shutil.copytree(DEFINITIONS, folder)
    path = folder / "views.yaml"
    documents = path.read_text(encoding="utf-8").split("---\n")
    for view, lines in LINES.items():
        (index,) = [index for index, document in enumerate(documents) if f"\nname: {view}\n" in f"\n{document}"]
        # The list of features is what a view ends with.
        documents[index] += "".join(f"  - {line}\n" for line in lines)
    path.write_text("---\n".join(documents), encoding="utf-8")


def at_least(column, limit):
    """Nullable booleans: null where the column is."""
    return (column >= limit).astype("boolean").mask(column.isna())


def computed(view, rows):
    """{feature: values} of the added features of the view `view`."""
    if view == "airport_weather":
        return {
            "is_hot": at_least(rows["temp"], 85),
            "sight": rows["visib"].lt(3).map({True: "poor", False: "good"}),
            "is_gusty": at_least(rows["wind_gust"], 25),
        }
    return {
        "is_wide_body": at_least(rows["seats"], 200),
        "seats_per_engine": rows["seats"] // rows["engines"],
        "is_fast": at_least(rows["speed"], 400),
    }


def extended(views, recomputed):
    """The views with the features added, before their rows are computed again or after."""
    result = []
    for view in views:
        if view.view in DEFAULTS:
            view = copy.copy(view)
            added = DEFAULTS[view.view]
            view.features = [*view.features, *added]
            view.rows = view.rows.assign(**computed(view.view, view.rows))
            view.filled_in = {} if recomputed else added
        result.append(view)
    return result


def changed(views):
    """Those of the views that have added features, under their own names."""
    return [view for view in views if view.name in DEFAULTS]
