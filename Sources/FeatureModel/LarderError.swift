/// A place in a text file; line and column start at 1.
public struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
    public let file: String
    public let line: Int
    public let column: Int

    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    public var description: String { "\(file):\(line):\(column)" }
}

/// A failure told to the person or program that asked.
///
/// `message` names the kind of object, quotes the name and says what failed; `hint` says what would work.
public struct LarderError: Error, Sendable, Equatable {
    public let code: ErrorCode
    public let message: String
    public var hint: String?
    public var location: SourceLocation?
    /// The single failures behind this one, such as every mistake in a tree of definitions.
    public var errors: [LarderError]
    /// The rejected rows behind this one, at most `RowViolation.maximumReported`.
    public var rows: [RowViolation]
    /// How many reasons there are in all; `rows` may hold fewer.
    public var violationCount: Int

    public init(
        _ code: ErrorCode, _ message: String, hint: String? = nil, location: SourceLocation? = nil,
        errors: [LarderError] = [], rows: [RowViolation] = [], violationCount: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.location = location
        self.errors = errors
        self.rows = rows
        self.violationCount = violationCount ?? rows.count
    }
}

extension LarderError {
    /// The rows of one request are more than there may be.
    public static func tooManyRows(_ maximum: Int) -> LarderError {
        LarderError(.tooManyRows, "there are more than \(maximum) rows", hint: "send them in several requests")
    }
}

extension LarderError: CustomStringConvertible {
    public var description: String {
        var text = location.map { "\($0): " } ?? ""
        text += "\(message) [\(code)]"
        if let hint { text += "\n  hint: \(hint)" }
        for error in errors { text += "\n\(error)" }
        for row in rows { text += "\n  \(row)" }
        return text
    }
}

/// One reason why one row was refused. A bad row has every reason that applies.
public struct RowViolation: Sendable, Hashable, CustomStringConvertible {
    /// How many are carried in an answer; counts are always exact.
    public static let maximumReported = 1_000

    /// Position in the input, from 1.
    public let row: Int
    /// Line of the input text the row starts on, where the input is text.
    public let line: Int?
    /// Column or feature concerned.
    public let feature: String?
    /// `wrong_type`, `null_not_allowed`, `missing`, `extra_field`, `below_minimum` and so on.
    public let code: String
    public let message: String

    public init(row: Int, line: Int? = nil, feature: String?, code: String, message: String) {
        self.row = row
        self.line = line
        self.feature = feature
        self.code = code
        self.message = message
    }

    public var description: String {
        let place = line.map { "row \(row) (line \($0))" } ?? "row \(row)"
        return feature.map { "\(place), \($0): \(message) [\(code)]" } ?? "\(place): \(message) [\(code)]"
    }
}
