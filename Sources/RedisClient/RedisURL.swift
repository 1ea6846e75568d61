/// The parts of a Redis URL.
struct RedisURL {
    let address: RedisConfiguration.Address
    let database: Int
    let credentials: RedisConfiguration.Credentials?

    /// - Throws: `invalidConfiguration` with a message that repeats nothing before an `@`.
    init(_ url: String) throws(RedisError) {
        let (scheme, afterScheme) = try Self.splitScheme(url)
        var rest = afterScheme
        // The last `@` ends the credentials: a password may hold one that its owner forgot to encode.
        let authorityEnd = scheme == "redis+unix" ? rest.endIndex : rest.firstIndex(of: "/") ?? rest.endIndex
        if let at = rest[..<authorityEnd].lastIndex(of: "@") {
            credentials = try Self.parseCredentials(rest[..<at])
            rest = rest[rest.index(after: at)...]
        } else {
            credentials = nil
        }
        let hasQuery = rest.contains("?")
        if scheme == "redis+unix" {
            let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            let path = String(parts[0])
            guard path.hasPrefix("/"), path.utf8.count > 1 else {
                throw Self.invalid("a redis+unix URL needs an absolute path: redis+unix:///path/of/socket")
            }
            address = .unixSocket(path: path)
            database = try hasQuery ? Self.parseQuery(parts[1]) : 0
        } else {
            if hasQuery { throw Self.invalid("a redis URL takes no query; the database goes into the path, as in /1") }
            let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            address = try Self.parseAuthority(parts[0])
            database = try parts.count > 1 && !parts[1].isEmpty ? Self.parseDatabase(parts[1]) : 0
        }
    }

    private static func splitScheme(_ url: String) throws(RedisError) -> (scheme: String, rest: Substring) {
        guard let separator = url.firstRange(of: "://") else {
            throw invalid("a Redis URL starts with redis:// or redis+unix://")
        }
        let scheme = url[..<separator.lowerBound].lowercased()
        guard scheme == "redis" || scheme == "redis+unix" else {
            let hint = scheme == "rediss" ? "; TLS is not supported" : ""
            throw invalid("a Redis URL starts with redis:// or redis+unix://\(hint)")
        }
        return (scheme, url[separator.upperBound...])
    }

    private static func parseCredentials(_ text: Substring) throws(RedisError) -> RedisConfiguration.Credentials? {
        if text.isEmpty { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let user = percentDecoded(parts[0]), let password = percentDecoded(parts[1]) else {
            throw invalid("the credentials of a Redis URL are user:password or :password, percent-encoded UTF-8")
        }
        return RedisConfiguration.Credentials(username: user.isEmpty ? nil : user, password: password)
    }

    private static func parseAuthority(_ text: Substring) throws(RedisError) -> RedisConfiguration.Address {
        let host: Substring
        let portText: Substring
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            portText = text[text.index(after: end)...]
        } else {
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            host = text[..<colon]
            portText = text[colon...]
        }
        if host.isEmpty { throw invalid("a Redis URL needs a host: redis://host:port") }
        if portText.isEmpty { return .tcp(host: String(host), port: 6379) }
        guard portText.hasPrefix(":"), let port = UInt16(portText.dropFirst()), port > 0 else {
            throw invalid("the port of a Redis URL is a number from 1 to 65535")
        }
        return .tcp(host: String(host), port: Int(port))
    }

    private static func parseQuery(_ text: Substring) throws(RedisError) -> Int {
        guard text.hasPrefix("db=") else { throw invalid("a redis+unix URL takes one query item, db=number") }
        return try parseDatabase(text.dropFirst(3))
    }

    private static func parseDatabase(_ text: Substring) throws(RedisError) -> Int {
        guard let number = UInt16(text) else { throw invalid("the database of a Redis URL is a number, such as 0") }
        return Int(number)
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexDigitValue), let low = rest.popFirst().flatMap(hexDigitValue)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigitValue(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.flatMap(UInt8.init(exactly:))
    }

    private static func invalid(_ message: String) -> RedisError {
        RedisError(.invalidConfiguration, message)
    }
}
