import FeatureDefinitions
import FeatureModel
import PostgresClient

/// One write into a table source, as a transaction of its own.
struct SourceWrite: Sendable {
    let stores: Stores
    let source: RegisteredSource
    let version: SourceVersion
    /// Said in the report.
    let warning: String?

    /// - Parameter feed: gives the load all of its bytes.
    /// - Throws: `LarderError`; nothing is written then.
    func run(
        _ request: RowLoadRequest, feed: (inout RowLoad<SourceRowWriter>) async throws -> Void
    ) async throws -> WriteReport {
        let target = WriteTarget.source(source.name)
        var report = WriteReport(schemaVersion: version.version)
        do {
            report = try await stores.writer.withConnection { connection in
                try await connection.transaction(isolation: .readCommitted) { connection in
                    let writer = try await SourceRowWriter(source: source, version: version, on: connection)
                    var load = try RowLoad(request, into: writer, on: connection)
                    try await feed(&load)
                    do {
                        return try await load.finish()
                    } catch let error as LarderError where error.code == .rowsRejected {
                        WriteMetrics.countRejected(load.verdict.reasons, of: target)
                        throw error
                    }
                }
            }
        } catch let taken as IdempotencyKeyTaken {
            _ = try await stores.earlierWrite(taken, into: target)
            report.wasThereBefore = true
        } catch let error as PostgresError {
            throw LarderError(retiring: error, version: version.version, of: target) ?? error
        }
        WriteMetrics.countWritten(report.rowsWritten, into: target)
        WriteMetrics.countRejected(report.reasons, of: target)
        if let warning { report.warnings.append(warning) }
        return report
    }
}
