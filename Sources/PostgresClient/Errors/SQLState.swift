/// The five character code that PostgreSQL attaches to every error, such as `23505`.
///
/// The first two characters are the class; `errorClass` and the predicates below judge by it, so that codes added by a
/// later server version still fall into the right group.
public struct SQLState: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    public init(stringLiteral value: String) {
        self.rawValue = value
    }

    public var description: String { rawValue }

    /// The two characters that name the class of the condition, such as `23` for integrity constraint violations.
    public var errorClass: String { String(rawValue.prefix(2)) }

    /// Whether the same transaction may succeed when it is run again from its start, unchanged.
    public var isRetryable: Bool {
        switch self {
        case .serializationFailure, .deadlockDetected, .lockNotAvailable, .tooManyConnections, .cannotConnectNow: true
        default: false
        }
    }

    /// Whether the session is gone, or could not be opened for reasons that may pass.
    public var isConnectionFailure: Bool {
        switch self {
        case .adminShutdown, .crashShutdown, .cannotConnectNow, .databaseDropped, .idleSessionTimeout: true
        default: errorClass == "08"
        }
    }

    /// A value does not fit its type. The primary message of this class quotes the value.
    public var isDataException: Bool { errorClass == "22" }
    public var isIntegrityConstraintViolation: Bool { errorClass == "23" }
    public var isInsufficientResources: Bool { errorClass == "53" }
    public var isAuthenticationFailure: Bool { errorClass == "28" }
}

extension SQLState {
    // Class 08, 0A, 28, 3D, 53, 55, 57, 58: sessions and the server.
    public static let connectionFailure: SQLState = "08006"
    public static let protocolViolation: SQLState = "08P01"
    public static let featureNotSupported: SQLState = "0A000"
    public static let invalidAuthorization: SQLState = "28000"
    public static let invalidPassword: SQLState = "28P01"
    public static let databaseDoesNotExist: SQLState = "3D000"
    public static let tooManyConnections: SQLState = "53300"
    public static let diskFull: SQLState = "53100"
    public static let outOfMemory: SQLState = "53200"
    public static let configurationLimitExceeded: SQLState = "53400"
    public static let objectNotInPrerequisiteState: SQLState = "55000"
    public static let objectInUse: SQLState = "55006"
    public static let lockNotAvailable: SQLState = "55P03"
    public static let queryCanceled: SQLState = "57014"
    public static let adminShutdown: SQLState = "57P01"
    public static let crashShutdown: SQLState = "57P02"
    public static let cannotConnectNow: SQLState = "57P03"
    public static let databaseDropped: SQLState = "57P04"
    public static let idleSessionTimeout: SQLState = "57P05"
    public static let ioError: SQLState = "58030"

    // Class 22: values.
    public static let numericValueOutOfRange: SQLState = "22003"
    public static let divisionByZero: SQLState = "22012"
    public static let characterNotInRepertoire: SQLState = "22021"
    public static let invalidTextRepresentation: SQLState = "22P02"
    public static let invalidBinaryRepresentation: SQLState = "22P03"
    public static let badCopyFileFormat: SQLState = "22P04"

    // Class 23: constraints.
    public static let notNullViolation: SQLState = "23502"
    public static let foreignKeyViolation: SQLState = "23503"
    public static let uniqueViolation: SQLState = "23505"
    public static let checkViolation: SQLState = "23514"
    public static let exclusionViolation: SQLState = "23P01"

    // Class 25, 40: transactions.
    public static let readOnlyTransaction: SQLState = "25006"
    public static let inFailedTransaction: SQLState = "25P02"
    public static let idleInTransactionTimeout: SQLState = "25P03"
    public static let serializationFailure: SQLState = "40001"
    public static let deadlockDetected: SQLState = "40P01"

    // Class 42: names, syntax and rights.
    public static let insufficientPrivilege: SQLState = "42501"
    public static let syntaxError: SQLState = "42601"
    public static let undefinedColumn: SQLState = "42703"
    public static let datatypeMismatch: SQLState = "42804"
    public static let undefinedFunction: SQLState = "42883"
    public static let undefinedTable: SQLState = "42P01"
    public static let duplicateDatabase: SQLState = "42P04"
    public static let duplicateTable: SQLState = "42P07"
    public static let duplicateObject: SQLState = "42710"
    public static let invalidObjectDefinition: SQLState = "42P17"
    public static let raisedException: SQLState = "P0001"
}
