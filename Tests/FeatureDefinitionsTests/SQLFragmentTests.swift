import Testing

@testable import FeatureDefinitions

@Suite struct SQLFragmentTests {
    @Test(arguments: [
        "temp <= 32",
        "coalesce(a, b)",
        "a[1] + (b[2])",
        "'it''s; (fine' || \"odd;)name\"",
        "E'a\\'); --' || 'b'",
        "e'\\\\'",
        "$$ ); -- $$",
        "$tag$ $$ ' $tag$",
        "a$b + c$1$",
        "1 /* a /* nested */ ) */ + 2",
        "1 -- one )\n + 2",
        "'back\\slash'",
        "U&'d\\0061t\\+000061'",
        "some'abc'",
        "name 'ends with e' ",
        "a::jsonb #>> '{x,y}'",
        "größe + 1",
    ])
    func anExpressionOfWholeTokensPasses(_ sql: String) {
        #expect(SQLFragment.problem(of: sql, kind: .expression) == nil)
    }

    @Test(arguments: [
        ("1)", 1), ("(1", 0), ("(1]", 2), ("1) FROM secrets --", 1), ("1; DROP TABLE x", 1), ("1 --", 2),
        ("1 -- ) \n) --", 8), ("'open", 0), ("\"open", 0), ("E'\\'", 1), ("'a\\' || ')", 8), ("/* open", 0),
        ("/* /* */", 0), ("$$ open", 0), ("$a$ $b$", 0), ("$1", 0), ("a, b", 1), ("", 0), (" \n\t", 0),
        ("-- only\n", 0),
        ("/* only */", 0), ("1\0", 1), ("'\0'", 1), ("E'a'\n'\\') --'", 5), ("E'a' -- c\n'b'", 10), ("$", 0),
    ])
    func anExpressionThatReachesBeyondItselfIsRefusedAtTheCharacter(_ sql: String, offset: Int) {
        #expect(SQLFragment.problem(of: sql, kind: .expression)?.offset == offset)
    }

    @Test(arguments: [
        "SELECT 1, 2", "with x as (select 1) select * from x", "-- why\nSELECT a FROM b", "(SELECT 1) UNION SELECT 2",
        "/* why */ Select 1",
    ])
    func aQueryThatReadsPasses(_ sql: String) {
        #expect(SQLFragment.problem(of: sql, kind: .query) == nil)
    }

    @Test(arguments: [
        "DELETE FROM a", "select 1;", "SELECT (1", "", "1", "'select'", "() select 1)", "SELECT 1 -- end",
    ])
    func aQueryThatDoesNotOnlyReadIsRefused(_ sql: String) {
        #expect(SQLFragment.problem(of: sql, kind: .query) != nil)
    }

    /// Whatever passes, put between parentheses, is still one pair of parentheses to an independent reader.
    @Test func acceptedFragmentsNeverCloseTheParenthesisTheyArePutIn() {
        let pieces = [
            "(", ")", "'", "\"", "--", "\n", "/*", "*/", "$$", "$a$", "E'", "\\", "a", " ", "[", "]", "1", "''",
        ]
        var generator = SeededGenerator(seed: 20_130_101)
        var accepted = 0
        for _ in 0..<5_000 {
            let count = Int.random(in: 1...7, using: &generator)
            let sql = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            guard SQLFragment.problem(of: sql, kind: .expression) == nil else { continue }
            accepted += 1
            #expect(Self.closingParenthesis(of: "(\(sql))x") == sql.unicodeScalars.count + 1, "\(sql)")
        }
        #expect(accepted > 200)
    }

    /// Where the first parenthesis closes, read backwards from the rules: strip each lexical element with the first
    /// pattern that matches at the place.
    private static func closingParenthesis(of text: String) -> Int? {
        var rest = Array(text.unicodeScalars)[...]
        var depth = 0
        let patterns: [Regex<Substring>] = [
            /[eE]'(?:[^'\\]|\\.|'')*'/.dotMatchesNewlines(), /'(?:[^']|'')*'/, /"(?:[^"]|"")*"/,
            /--[^\n\r]*/, /[A-Za-z_][A-Za-z_0-9$]*/,
        ]
        while let first = rest.first {
            let string = String(String.UnicodeScalarView(rest))
            if let match = patterns.lazy.compactMap({ string.prefixMatch(of: $0) }).first {
                rest = rest.dropFirst(match.output.unicodeScalars.count)
                continue
            }
            if let match = string.prefixMatch(of: /\$([A-Za-z_]*)\$(?s:.*?)\$\1\$/) {
                rest = rest.dropFirst(match.output.0.unicodeScalars.count)
                continue
            }
            if string.hasPrefix("/*") {
                var level = 0
                repeat {
                    if rest.starts(with: "/*".unicodeScalars) {
                        level += 1
                        rest = rest.dropFirst(2)
                    } else if rest.starts(with: "*/".unicodeScalars) {
                        level -= 1
                        rest = rest.dropFirst(2)
                    } else {
                        rest = rest.dropFirst()
                    }
                } while level > 0 && !rest.isEmpty
                continue
            }
            if first == "(" { depth += 1 }
            if first == ")" {
                depth -= 1
                if depth == 0 { return rest.startIndex }
            }
            rest = rest.dropFirst()
        }
        return nil
    }
}
