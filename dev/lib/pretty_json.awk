# Indents JSON for people. An array of plain values stays on one line.

function indent(    text, count) {
    text = "\n"
    for (count = 0; count < depth; count++) text = text "  "
    return text
}

# Where the string that opens at `position` ends.
function string_end(position) {
    for (position++; substr(json, position, 1) != "\""; position++)
        if (substr(json, position, 1) == "\\") position++
    return position
}

# Where the array that opens at `position` ends, or 0 when it holds an object or an array.
function plain_array_end(position,    character) {
    for (position++; position <= length(json); position++) {
        character = substr(json, position, 1)
        if (character == "]") return position
        if (character == "[" || character == "{") return 0
        if (character == "\"") position = string_end(position)
    }
    return 0
}

{ json = json $0 }

END {
    for (position = 1; position <= length(json); position++) {
        character = substr(json, position, 1)
        end = 0
        if (character == "\"") end = string_end(position)
        else if (character == "[") end = plain_array_end(position)
        if (end) { printf "%s", substr(json, position, end - position + 1); position = end }
        else if (character == "{" || character == "[") { depth++; printf "%s%s", character, indent() }
        else if (character == "}" || character == "]") { depth--; printf "%s%s", indent(), character }
        else if (character == ",") printf ",%s", indent()
        else if (character == ":") printf ": "
        else if (character != " ") printf "%s", character
    }
    printf "\n"
}
