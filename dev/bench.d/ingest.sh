# ingest: rows per second of `larder ingest` of a CSV file with every check, beside `psql \copy` of the same file
# shellcheck shell=bash
# shellcheck disable=SC2154
#
# Four ways to load the same file, in turn, each a whole process and into an empty database of its own:
#
#   psql                 \copy into a table with the same columns, NOT NULL where the source says so, and a primary key
#   larder               a source with that key as its row_key, which is what a primary key is in Larder: an index, and of
#                        rows with equal keys the newest counts
#   psql_without_index   \copy into the same table without the primary key
#   larder_without_key   the same source without row_key
#
# The bar is for the first two. Each load is compared with the file's first: the tables must hold the same rows.
#
# LARDER_BENCH_ROWS (1000000) and LARDER_BENCH_ROUNDS (3) make it shorter or longer.

rows=${LARDER_BENCH_ROWS:-1000000}
rounds=${LARDER_BENCH_ROUNDS:-3}
required_share=0.4
file="$bench_directory/purchases.csv"

columns=(
    'customer string text required' 'purchased_at timestamp timestamptz required'
    'order_number int64 bigint required' 'units int32 integer required' 'amount float64 float8 required'
    'discount float64 float8' 'weight float64 float8' 'is_member bool boolean required' 'is_return bool boolean'
    'channel string text required' 'city string text' 'store int32 integer required'
)

# The definitions of the source, with or without the key.
print_definitions() {
    local column name type sql required
    printf 'kind: project\nname: bench\n---\nkind: source\nname: purchases\ntype: table\ntimestamp: purchased_at\n'
    [[ $1 != with_key ]] || echo 'row_key: [customer, purchased_at]'
    echo 'columns:'
    for column in "${columns[@]}"; do
        read -r name type sql required <<<"$column"
        echo "  - {name: $name, type: $type${required:+, nullable: false}}"
    done
}

print_table() {
    local column name type sql required separator=''
    printf 'CREATE TABLE purchases ('
    for column in "${columns[@]}"; do
        read -r name type sql required <<<"$column"
        [[ $sql != text ]] || sql='text COLLATE "C"'
        printf '%s%s %s%s' "$separator" "$name" "$sql" "${required:+ NOT NULL}"
        separator=', '
    done
    [[ $1 != with_key ]] || printf ', PRIMARY KEY (customer, purchased_at)'
    printf ');\n'
}

# Each load function gets the database ready and leaves the time of the load itself in `elapsed`.
load_with_psql() {
    print_table "$1" | as_owner
    checkpoint
    milliseconds_of as_owner --command="\\copy purchases FROM '$file' (FORMAT csv, HEADER true)"
    table=purchases
}

load_with_larder() {
    mkdir -p "$bench_directory/definitions"
    print_definitions "$1" >"$bench_directory/definitions/purchases.yaml"
    larder migrate >&2
    larder apply "$bench_directory/definitions" --yes >&2
    checkpoint
    milliseconds_of larder ingest purchases "$file" --project bench
    table=$(as_owner <<<"SELECT format('%I.purchases', nspname) FROM pg_namespace WHERE nspname LIKE 'larder\_sources\_%'")
    raw_table=$(as_owner <<<"SELECT 'larder_data.source_' || source_id FROM larder.source_table")
}

check_rows() {
    local found
    found=$(as_owner <<<"SELECT count(*) || ' ' || sum(hashtextextended(r::text, 0)) FROM $table r")
    : "${expected_rows:=$found}"
    [[ ${found%% *} -eq $rows && $found == "$expected_rows" ]] ||
        die "$1 stored other rows than psql: count and hash are $found, not $expected_rows"
}

# run NAME COMMAND...: one load in a new database; its rate goes to the array `rates_NAME`.
run() {
    local name=$1 rate
    shift
    use_new_database bench_run
    "$@"
    check_rows "$name"
    rate=$(calculate "$rows * 1000 / $elapsed")
    local -n rates=rates_$name
    rates+=("$rate")
    say "$name: $((elapsed / 1000)).$(printf '%03d' $((elapsed % 1000))) s, $rate rows/s"
    [[ $name != larder ]] || describe_checks
    drop_database bench_run
}

# What PostgreSQL checks, too, as it stands in the catalogue.
describe_checks() {
    check_constraints=$(as_owner <<<"SELECT count(*) FROM pg_constraint WHERE conrelid = '$raw_table'::regclass AND contype = 'c'")
    raw_indexes=$(as_owner <<<"SELECT count(*) FROM pg_index WHERE indrelid = '$raw_table'::regclass")
}

benchmark() {
    local round not_null
    rates_psql=() rates_larder=() rates_psql_without_index=() rates_larder_without_key=()
    say "writing $rows rows to $file"
    LC_ALL=C awk -f dev/bench.d/ingest.awk -v rows="$rows" -v seed=20240229 >"$file"
    for ((round = 1; round <= rounds; round++)); do
        say "-- round $round of $rounds"
        run psql load_with_psql with_key
        run larder load_with_larder with_key
        run psql_without_index load_with_psql without_key
        run larder_without_key load_with_larder without_key
    done
    not_null=$(printf '%s\n' "${columns[@]}" | grep -c 'required$')
    report ingest_rows "$rows" rows
    report ingest_bytes "$(wc -c <"$file")" bytes
    report ingest_columns_typed "${#columns[@]}" columns
    report ingest_columns_not_null "$not_null" columns
    report ingest_row_key_columns 2 columns
    report ingest_check_constraints "$check_constraints" constraints
    report ingest_raw_table_indexes "$raw_indexes" indexes
    say "Larder checks UTF-8, the type and range of each of ${#columns[@]} columns and NOT NULL of $not_null; settles the row key;"
    say "takes SHA-256 of the file; and PostgreSQL checks $check_constraints CHECK constraint(s) a row once more"
    report_rates
}

report_rates() {
    local psql larder share
    psql=$(median "${rates_psql[@]}")
    larder=$(median "${rates_larder[@]}")
    share=$(calculate "$larder / $psql" %.2f)
    report ingest_psql_rows_per_second "$psql" rows/s
    report ingest_larder_rows_per_second "$larder" rows/s
    report ingest_share_of_psql "$share" ratio
    psql=$(median "${rates_psql_without_index[@]}")
    larder=$(median "${rates_larder_without_key[@]}")
    report ingest_psql_without_index_rows_per_second "$psql" rows/s
    report ingest_larder_without_row_key_rows_per_second "$larder" rows/s
    report ingest_share_of_psql_without_row_key "$(calculate "$larder / $psql" %.2f)" ratio
    report ingest_share_of_psql_required "$required_share" ratio
    [[ $(calculate "$share >= $required_share" %d) -eq 1 ]] ||
        die "ingest reaches $share of psql's rate; $required_share is required"
}
