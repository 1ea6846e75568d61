# The first rows of a CSV file side by side, a line for each column: wide tables do not fit on a line. Needs csv.awk, and
# the number of rows as the variable `rows`.

NR == 1 { columns = split_fields($0, names); next }

{
    split_fields($0, fields)
    for (column = 1; column <= columns; column++) cells[NR, column] = fields[column]
    if (NR > rows) exit
}

END {
    for (column = 1; column <= columns; column++) {
        printf "%-28s", names[column]
        for (row = 2; row <= rows + 1 && row <= NR; row++) printf " %-26s", substr(cells[row, column], 1, 26)
        printf "\n"
    }
}
