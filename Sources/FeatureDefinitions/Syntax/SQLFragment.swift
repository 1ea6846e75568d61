/// A lexical guard over SQL from a definition, by PostgreSQL's rules of tokens: a fragment that passes can be
/// put between parentheses without closing them, ending the statement, or swallowing what follows.
///
/// It judges tokens only. Whether the SQL is valid, immutable and allowed is for PostgreSQL to say.
struct SQLFragment {
    enum Kind {
        /// A single expression: no comma outside parentheses.
        case expression
        /// A statement that reads: starts with SELECT or WITH.
        case query
    }

    struct Problem: Error, Equatable {
        let message: String
        let hint: String
        /// Offset of the offending character in Unicode scalars.
        let offset: Int
    }

    private let characters: [Unicode.Scalar]
    private let kind: Kind
    private var position = 0
    private var open: [(character: Unicode.Scalar, offset: Int)] = []
    private var firstWord: String?
    private var isEmpty = true
    /// Whether the last token was `E'...'`; another string after it would continue it, backslashes and all.
    private var followsEscapeString = false

    private init(_ text: String, kind: Kind) {
        characters = Array(text.unicodeScalars)
        self.kind = kind
    }

    /// - Returns: the first thing wrong with the fragment, or nil.
    static func problem(of text: String, kind: Kind) -> Problem? {
        var fragment = SQLFragment(text, kind: kind)
        do throws(Problem) {
            try fragment.scan()
            return nil
        } catch {
            return error
        }
    }

    private mutating func scan() throws(Problem) {
        if let offset = characters.firstIndex(of: "\0") {
            throw Problem(message: "holds a NUL character", hint: "leave it out", offset: offset)
        }
        while position < characters.count {
            let start = position
            let character = characters[position]
            if try skipSpaceOrComment() { continue }
            isEmpty = false
            if kind == .query, firstWord == nil, character != "(", !Self.startsWord(character) {
                throw Problem(
                    message: "starts with \"\(character)\"", hint: "a query starts with SELECT or WITH", offset: start)
            }
            let followedEscapeString = followsEscapeString
            followsEscapeString = false
            if character == "'" {
                guard !followedEscapeString else {
                    throw Problem(
                        message: "puts two string constants side by side", hint: "join them with ||", offset: start)
                }
                try skipQuoted("'", escapes: false)
            } else if character == "\"" {
                try skipQuoted("\"", escapes: false)
            } else if character == "$" {
                try skipDollarQuoted()
            } else if Self.startsWord(character) {
                try scanWord()
            } else {
                try scanSymbol(character)
            }
        }
        if let last = open.last {
            throw Problem(
                message: "leaves a \"\(last.character)\" open",
                hint: "close it with \"\(last.character == "(" ? ")" : "]")\"", offset: last.offset)
        }
        guard !isEmpty else { throw Problem(message: "is empty", hint: "write SQL, or leave the key out", offset: 0) }
        if kind == .query, !["select", "with"].contains(firstWord ?? "") {
            let start = firstWord.map { "starts with \($0.uppercased())" } ?? "has no statement"
            throw Problem(message: start, hint: "a query starts with SELECT or WITH", offset: 0)
        }
    }

    private mutating func scanSymbol(_ character: Unicode.Scalar) throws(Problem) {
        switch character {
        case "(", "[":
            open.append((character, position))
        case ")", "]":
            guard let last = open.popLast(), last.character == (character == ")" ? "(" : "[") else {
                throw Problem(
                    message: "closes with \"\(character)\" what it did not open",
                    hint: "parentheses and brackets come in pairs", offset: position)
            }
        case ";":
            throw Problem(message: "holds a \";\"", hint: "leave the semicolon out", offset: position)
        case "," where open.isEmpty && kind == .expression:
            throw Problem(message: "holds a comma outside parentheses", hint: "write one expression", offset: position)
        default:
            break
        }
        position += 1
    }

    private mutating func scanWord() throws(Problem) {
        let start = position
        while position < characters.count, Self.continuesWord(characters[position]) { position += 1 }
        let word = String(String.UnicodeScalarView(characters[start..<position])).lowercased()
        if firstWord == nil { firstWord = word }
        if word == "e", position < characters.count, characters[position] == "'" {
            try skipQuoted("'", escapes: true)
            followsEscapeString = true
        }
    }

    /// Skips one run of white space or one comment.
    private mutating func skipSpaceOrComment() throws(Problem) -> Bool {
        let character = characters[position]
        let next: Unicode.Scalar? = position + 1 < characters.count ? characters[position + 1] : nil
        if [" ", "\t", "\n", "\r", "\u{C}", "\u{B}"].contains(character) {
            position += 1
            return true
        }
        if character == "-", next == "-" {
            try skipLineComment()
            return true
        }
        if character == "/", next == "*" {
            try skipBlockComment()
            return true
        }
        return false
    }

    private mutating func skipLineComment() throws(Problem) {
        let start = position
        while position < characters.count, characters[position] != "\n", characters[position] != "\r" {
            position += 1
        }
        guard position < characters.count else {
            throw Problem(
                message: "ends within a comment", hint: "end the comment with a new line, or write /* */",
                offset: start)
        }
    }

    /// Block comments nest.
    private mutating func skipBlockComment() throws(Problem) {
        let start = position
        var depth = 0
        repeat {
            guard position + 1 < characters.count else {
                throw Problem(message: "leaves a comment open", hint: "close it with */", offset: start)
            }
            switch (characters[position], characters[position + 1]) {
            case ("/", "*"):
                depth += 1
                position += 2
            case ("*", "/"):
                depth -= 1
                position += 2
            default:
                position += 1
            }
        } while depth > 0
    }

    private mutating func skipQuoted(_ quote: Unicode.Scalar, escapes: Bool) throws(Problem) {
        let start = position
        position += 1
        while position < characters.count {
            let character = characters[position]
            if escapes, character == "\\" {
                position += 2
            } else if character == quote {
                position += 1
                guard position < characters.count, characters[position] == quote else { return }
                position += 1
            } else {
                position += 1
            }
        }
        throw Problem(message: "leaves a quote open", hint: "close it with \(quote)", offset: start)
    }

    private mutating func skipDollarQuoted() throws(Problem) {
        let start = position
        position += 1
        while position < characters.count, characters[position] != "$",
            Self.continuesWord(characters[position])
        {
            position += 1
        }
        let tag = characters[start..<position]
        let startsWithDigit = tag.dropFirst().first.map { ("0"..."9").contains($0) } ?? false
        guard position < characters.count, characters[position] == "$", !startsWithDigit else {
            throw Problem(
                message: "holds a \"$\" outside quotes", hint: "parameters have no values here", offset: start)
        }
        position += 1
        let delimiter = characters[start..<position]
        while position + delimiter.count <= characters.count {
            if characters[position..<position + delimiter.count].elementsEqual(delimiter) {
                position += delimiter.count
                return
            }
            position += 1
        }
        throw Problem(message: "leaves a dollar quote open", hint: "close it with the same tag", offset: start)
    }

    private static func startsWord(_ character: Unicode.Scalar) -> Bool {
        character.isASCII
            ? ("a"..."z").contains(character) || ("A"..."Z").contains(character) || character == "_"
            : true
    }

    private static func continuesWord(_ character: Unicode.Scalar) -> Bool {
        startsWord(character) || ("0"..."9").contains(character) || character == "$"
    }
}
