extension PostgresQuery: ExpressibleByStringInterpolation {
    public init(stringLiteral value: StaticString) {
        append(text: value.description)
    }

    public init(stringInterpolation: StringInterpolation) {
        self = stringInterpolation.query
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        var query = PostgresQuery()

        public init(literalCapacity: Int, interpolationCount: Int) {}

        public mutating func appendLiteral(_ literal: StaticString) {
            query.append(text: literal.description)
        }

        /// Binds the value as a parameter. A nil is a null of its type.
        public mutating func appendInterpolation<T: PostgresEncodable>(_ value: T?) {
            query.append(bind: value)
        }

        /// A name, quoted: a column, a table, or a dotted path of names.
        public mutating func appendInterpolation(identifier parts: String...) {
            query.attempt { (query) throws(PostgresError) in query.append(text: try SQLQuoting.identifier(parts)) }
        }

        /// A string constant for places that take no parameter.
        public mutating func appendInterpolation(literal value: String) {
            query.attempt { (query) throws(PostgresError) in query.append(text: try SQLQuoting.string(value)) }
        }

        /// An integer constant for places that take no parameter. PostgreSQL picks the type by its size.
        public mutating func appendInterpolation(literal value: Int64) {
            query.append(text: SQLQuoting.integer(value))
        }

        public mutating func appendInterpolation(literal value: Int) {
            query.append(text: SQLQuoting.integer(Int64(value)))
        }

        /// A `float8` constant for places that take no parameter.
        public mutating func appendInterpolation(literal value: Double) {
            query.append(text: SQLQuoting.double(value))
        }

        public mutating func appendInterpolation(literal value: Bool) {
            query.append(text: value ? "TRUE" : "FALSE")
        }

        /// A `timestamptz` constant for places that take no parameter.
        public mutating func appendInterpolation(literal value: PostgresTimestamp) {
            query.append(text: "'\(value)'::timestamptz")
        }

        /// A `date` constant for places that take no parameter.
        public mutating func appendInterpolation(literal value: PostgresDate) {
            query.append(text: "'\(value)'::date")
        }

        /// A `bytea` constant for places that take no parameter.
        public mutating func appendInterpolation(literal value: [UInt8]) {
            let digits = Array("0123456789abcdef".unicodeScalars)
            var text = String.UnicodeScalarView()
            for byte in value {
                text.append(digits[Int(byte >> 4)])
                text.append(digits[Int(byte & 15)])
            }
            // Through decode(), which means the same under every session setting.
            query.append(text: "pg_catalog.decode('\(String(text))', 'hex')")
        }

        /// Another query, with its parameters renumbered to follow those before it.
        public mutating func appendInterpolation(query other: PostgresQuery) {
            query += other
        }

        /// Text that goes into the statement as it is. The caller answers for every character.
        public mutating func appendInterpolation(unescaped text: String) {
            query.append(text: text)
        }
    }
}
