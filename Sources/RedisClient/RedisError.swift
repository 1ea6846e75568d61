/// Why a command, a pipeline or a connection failed.
///
/// `description` holds no secret and no argument of a command. `code.label` is bounded text that is safe as the
/// value of a metric label.
public struct RedisError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it was.
    public let code: Code
    /// A short sentence for people: lower case, no final period.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The error of a command that the server answered with an error line.
    public init(_ serverError: RedisServerError) {
        self.init(.server(serverError.prefix), serverError.message)
    }

    public var description: String { "\(code.label): \(message)" }
}

extension RedisError {
    /// The kind of a failure. New kinds may be added: a `switch` over it needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: Sendable, Hashable {
            case local(String)
            case server(String)
        }

        private let kind: Kind

        /// The URL or a setting is not usable.
        public static let invalidConfiguration = Code(kind: .local("invalid_configuration"))
        /// The connection was never made: refused, unreachable, timed out, or the handshake failed.
        public static let connectionFailed = Code(kind: .local("connection_failed"))
        /// The server refused the user or the password, or asks for one.
        public static let authenticationFailed = Code(kind: .local("authentication_failed"))
        /// The connection broke while the command waited; whether the server ran it is unknown.
        public static let connectionLost = Code(kind: .local("connection_lost"))
        /// No connection is up now; the command was not sent.
        public static let notConnected = Code(kind: .local("not_connected"))
        /// No reply came in time; whether the server ran the command is unknown.
        public static let timeout = Code(kind: .local("timeout"))
        /// The calling task was cancelled; the command may have been sent.
        public static let cancelled = Code(kind: .local("cancelled"))
        /// The peer sent bytes that are not RESP2, or more than the limits allow. The connection is closed.
        public static let protocolViolation = Code(kind: .local("protocol_violation"))
        /// Too many commands are waiting for replies; the command was not sent.
        public static let queueFull = Code(kind: .local("queue_full"))
        /// The connection or client was closed by its owner; the command was not sent.
        public static let closed = Code(kind: .local("closed"))
        /// A reply has another shape than the caller of the command expects.
        public static let unexpectedReply = Code(kind: .local("unexpected_reply"))

        /// The server answered with an error line that starts with `prefix`: `WRONGTYPE`, `NOSCRIPT`, `OOM`,
        /// `READONLY`, `LOADING`, `ERR`; empty when the line has no such word.
        public static func server(_ prefix: String) -> Code { Code(kind: .server(prefix)) }

        /// The first word of the server's error line; nil for failures on this side.
        public var serverPrefix: String? {
            if case .server(let prefix) = kind { prefix } else { nil }
        }

        /// Bounded text: a fixed set of words, whatever the server or a script answered.
        public var label: String {
            switch kind {
            case .local(let name): name
            case .server(let prefix): Self.labelledPrefixes.contains(prefix) ? "server_\(prefix)" : "server_other"
            }
        }

        public var description: String { label }

        private static let labelledPrefixes: Set<String> = [
            "BUSY", "ERR", "EXECABORT", "LOADING", "MASTERDOWN", "MISCONF", "NOAUTH", "NOPERM", "NOREPLICAS",
            "NOSCRIPT", "OOM", "READONLY", "WRONGPASS", "WRONGTYPE",
        ]
    }
}

/// An error line of the server, such as `WRONGTYPE Operation against a key holding the wrong kind of value`.
public struct RedisServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The whole line without the leading `-`. Bytes that are not UTF-8 show as U+FFFD.
    public let message: String

    public init(_ message: String) {
        self.message = message
    }

    /// The first word of the line when it is written in capitals, as Redis does; otherwise empty.
    public var prefix: String {
        let word = message.utf8.prefix { $0 != UInt8(ascii: " ") }
        let isCapitals = word.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        return isCapitals ? String(word) ?? "" : ""
    }

    public var description: String { message }
}
