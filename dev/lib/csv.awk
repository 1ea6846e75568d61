# Fields of a CSV line, for the other awk programs. A quoted field may hold commas and quotes, but no line break.

function split_fields(line, fields,    count, position, character, quoted, text) {
    if (index(line, "\"") == 0) return split(line, fields, ",")
    count = 0; text = ""; quoted = 0
    for (position = 1; position <= length(line); position++) {
        character = substr(line, position, 1)
        if (quoted && character == "\"" && substr(line, position + 1, 1) == "\"") { text = text "\""; position++ }
        else if (character == "\"") quoted = !quoted
        else if (character == "," && !quoted) { fields[++count] = text; text = "" }
        else text = text character
    }
    fields[++count] = text
    return count
}
