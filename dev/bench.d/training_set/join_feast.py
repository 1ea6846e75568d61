"""join_feast.py WAY VIEW DATA SPINE OUT: Feast's answer from PostgreSQL, as an Arrow file.

    arrow   the answer taken as an Arrow table
    pandas  the answer taken as a data frame, as Feast's own documentation does
"""

import json
import sys

import pyarrow as pa
from pyarrow import ipc

from feast_store import open_store


def main():
    way, view, directory, spine_path, out = sys.argv[1:]
    view = json.loads(view)
    spine = ipc.open_file(pa.memory_map(spine_path)).read_pandas()
    features = [f"{view['name']}:{feature}" for feature in view["features"]]
    job = open_store(directory).get_historical_features(entity_df=spine, features=features)
    table = job.to_arrow() if way == "arrow" else pa.Table.from_pandas(job.to_df(), preserve_index=False)
    with ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)


main()
