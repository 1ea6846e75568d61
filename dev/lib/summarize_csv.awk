# One line for each column of a CSV file: nulls and, of numbers, minimum, mean and maximum. Needs csv.awk.

NR == 1 { columns = split_fields($0, names); next }

{
    split_fields($0, fields)
    for (column = 1; column <= columns; column++) {
        value = fields[column]
        if (value == "") { nulls[column]++; continue }
        if (column in text_columns) continue
        if (value !~ /^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$/) { text_columns[column] = 1; continue }
        value += 0
        if (!(column in total) || value < least[column]) least[column] = value
        if (!(column in total) || value > most[column]) most[column] = value
        total[column] += value
    }
}

END {
    rows = NR - 1
    printf "%-28s %9s %9s %12s %12s %12s\n", "column", "values", "nulls", "min", "mean", "max"
    for (column = 1; column <= columns; column++) {
        count = rows - nulls[column]
        printf "%-28s %9d %9d", names[column], count, nulls[column]
        if (count > 0 && !(column in text_columns))
            printf " %12.6g %12.6g %12.6g", least[column], total[column] / count, most[column]
        printf "\n"
    }
    printf "%d rows\n", rows
}
