/// Where to connect to, as whom, and what every session is set to.
public struct PostgresConfiguration: Sendable {
    /// The parameters of the connection string by libpq's keywords.
    private var parameters: [String: String]

    /// How long opening a session may take, from the first packet to the server being ready. Defaults to 10 seconds.
    public var connectTimeout: Duration = .seconds(10)

    /// The server's own limit for a statement, beneath the deadlines of calls. It counts the whole of a COPY. Calls
    /// without a deadline of their own wait a little longer than this for the server to apply it. Defaults to none.
    public var statementTimeout: Duration?

    /// Settings for every session, in order, such as `("search_path", "larder")` or `("role", "larder_writer")`.
    /// TimeZone, DateStyle and the encoding are pinned and not for the caller to change; `search_path` is
    /// `pg_catalog` unless set here.
    public var sessionSettings: [(String, String)] = []

    /// Reads a connection string: a URL (`postgres://user:password@host:5432/database?sslmode=require`, with
    /// `?host=/directory` for a Unix socket) or libpq's `keyword=value` pairs. What it leaves out is taken from libpq's environment
    /// variables and password file.
    ///
    /// - Throws: `PostgresError` with code `invalidConfiguration`. Nothing of the string is repeated, as it may
    ///   hold a password.
    public init(url: String, applicationName: String = "larder") throws(PostgresError) {
        parameters = try ConnectionString.parse(url)
        parameters["application_name"] = parameters["application_name"] ?? applicationName
    }

    public var database: String? {
        get { parameters["dbname"] }
        set { parameters["dbname"] = newValue }
    }

    public var user: String? {
        get { parameters["user"] }
        set { parameters["user"] = newValue }
    }

    public var password: String? {
        get { parameters["password"] }
        set { parameters["password"] = newValue }
    }

    /// A host name, an address, or the directory of a Unix socket; several separated by commas.
    public var host: String? {
        get { parameters["host"] }
        set {
            parameters["host"] = newValue
            parameters["hostaddr"] = nil
        }
    }

    /// An address that is used without looking `host` up.
    public var hostAddress: String? { parameters["hostaddr"] }

    public var port: Int? {
        get { parameters["port"].flatMap { Int($0) } }
        set { parameters["port"] = newValue.map { String($0) } }
    }

    public var applicationName: String? {
        get { parameters["application_name"] }
        set { parameters["application_name"] = newValue }
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Where this leads, without the password.
    public var description: String {
        let place = [user.map { "\($0)@" }, host ?? hostAddress ?? "local", port.map { ":\($0)" }]
        return "postgres://" + place.compactMap { $0 }.joined() + "/" + (database ?? user ?? "")
    }

    public var debugDescription: String { description }

    /// Keeps the password out of `dump` as well.
    public var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}

extension PostgresConfiguration {
    /// Notices a peer that is gone without a word within a minute or so.
    private static let defaults = [
        "connect_timeout": "0",
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "tcp_user_timeout": "60000",
    ]

    /// What libpq is given, in keyword order.
    func connectionParameters() throws(PostgresError) -> [(keyword: String, value: String)] {
        var all = parameters
        for (keyword, value) in Self.defaults where all[keyword] == nil { all[keyword] = value }
        all["client_encoding"] = "UTF8"
        let given = all["options"].map { [$0] } ?? []
        all["options"] = (given + [try sessionOptions()]).joined(separator: " ")
        for (keyword, value) in all where value.utf8.contains(0) {
            throw PostgresError(.invalidConfiguration, "connection parameter \"\(keyword)\" holds a NUL character")
        }
        return all.sorted { $0.key < $1.key }.map { (keyword: $0.key, value: $0.value) }
    }

    /// Settings as the command line options that the startup packet takes. Of two for the same name the later counts.
    private func sessionOptions() throws(PostgresError) -> String {
        var settings = [("search_path", "pg_catalog")]
        for (name, value) in sessionSettings {
            guard !name.isEmpty, name.utf8.allSatisfy({ isSettingNameByte($0) }) else {
                throw PostgresError(.invalidConfiguration, "\"\(name)\" is not the name of a session setting")
            }
            settings.append((name, value))
        }
        if let statementTimeout {
            let (seconds, attoseconds) = statementTimeout.components
            guard statementTimeout > .zero, seconds < 2_000_000 else {
                throw PostgresError(.invalidConfiguration, "the statement timeout must lie between 0 and 2,000,000 s")
            }
            let milliseconds = max(1, seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
            settings.append(("statement_timeout", "\(milliseconds)"))
        }
        settings += [
            ("TimeZone", "UTC"), ("DateStyle", "ISO"), ("IntervalStyle", "postgres"), ("bytea_output", "hex"),
            ("extra_float_digits", "1"), ("standard_conforming_strings", "on"),
        ]
        return settings.map { "-c \($0.0)=\(escapedOption($0.1))" }.joined(separator: " ")
    }
}

private func isSettingNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
    default: false
    }
}

/// The server splits options at white space; a backslash takes the next character as it is.
private func escapedOption(_ value: String) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in value.unicodeScalars {
        if scalar == "\\" || scalar.properties.isWhitespace { escaped.append("\\") }
        escaped.append(scalar)
    }
    return String(escaped)
}
