public import Logging

/// How log entries are written.
public struct LogConfiguration: Sendable {
    public enum Format: String, Sendable, CaseIterable {
        /// For people: `time level logger: message key=value ...`.
        case text
        /// For machines: one JSON object a line.
        case json
    }

    public var format: Format
    /// Entries below it are not written.
    public var level: Logger.Level
    public var output: LogOutput

    public init(format: Format = .text, level: Logger.Level = .info, output: LogOutput = .standardError) {
        self.format = format
        self.level = level
        self.output = output
    }

    /// Reads `LARDER_LOG_FORMAT` (`text`, `json`) and `LARDER_LOG_LEVEL` (`trace` to `critical`); what is absent or
    /// empty keeps its default.
    ///
    /// - Throws: ``LogConfigurationError`` naming the variable and what it may be.
    public init(environment: [String: String]) throws(LogConfigurationError) {
        self.init(
            format: try Self.read("LARDER_LOG_FORMAT", environment, .text),
            level: try Self.read("LARDER_LOG_LEVEL", environment, .info))
    }

    private static func read<Choice: RawRepresentable<String> & CaseIterable>(
        _ variable: String, _ environment: [String: String], _ absent: Choice
    ) throws(LogConfigurationError) -> Choice {
        guard let text = environment[variable], !text.isEmpty else { return absent }
        if let choice = Choice(rawValue: text.lowercased()) { return choice }
        throw LogConfigurationError(variable: variable, choices: Choice.allCases.map(\.rawValue))
    }
}

/// A variable of the environment holds a word that is none of its choices.
public struct LogConfigurationError: Error, Equatable, CustomStringConvertible {
    public let variable: String
    public let choices: [String]

    public var description: String { "\(variable) must be one of: \(choices.joined(separator: ", "))" }
}
