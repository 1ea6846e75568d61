public import Logging

/// Writes one line for each log entry, whatever the message and metadata hold: control characters are escaped.
public struct LineLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogConfiguration.Format
    private let output: LogOutput
    private let now: @Sendable () -> WallClock

    public init(label: String, configuration: LogConfiguration, metadataProvider: Logger.MetadataProvider? = nil) {
        self.init(
            label: label, configuration: configuration, metadataProvider: metadataProvider, now: { WallClock.now })
    }

    init(
        label: String,
        configuration: LogConfiguration,
        metadataProvider: Logger.MetadataProvider? = nil,
        now: @escaping @Sendable () -> WallClock
    ) {
        self.label = label
        self.metadataProvider = metadataProvider
        self.now = now
        logLevel = configuration.level
        format = configuration.format
        output = configuration.output
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let entry = LogEntry(
            time: now().description,
            level: event.level,
            label: label,
            source: event.source,
            message: event.message.description,
            error: event.error.map { String(describing: $0) },
            metadata: merged(event.metadata))
        output.write(format == .json ? entry.jsonLine() : entry.textLine())
    }

    /// What the entry says goes before what the provider says, and that before what the logger says.
    private func merged(_ own: Logger.Metadata?) -> Logger.Metadata {
        var all = metadata
        if let provided = metadataProvider?.get(), !provided.isEmpty { all.merge(provided) { _, new in new } }
        if let own { all.merge(own) { _, new in new } }
        return all
    }
}
