import FeatureModel
public import Jobs
public import TextFormats

extension Job {
    /// The job as JSON. What is not known, or does not apply, is left out.
    public var document: JSONValue {
        var members: [JSONValue.Member] = [
            .init("id", .integer(id)), .init("project", .string(projectName)), .init("kind", .string(kind.rawValue)),
            .init("state", .string(state.rawValue)), .init("cancel_requested", .bool(isCancelRequested)),
            .init("rows_done", .integer(progress.rowsDone)),
        ]
        func add(_ name: String, _ value: JSONValue?) {
            if let value { members.append(.init(name, value)) }
        }
        add("rows_total", progress.rowsTotal.map { .integer($0) })
        add("note", progress.note.map { .string($0) })
        add("rows_per_second", rowsPerSecond.map { .integer(Int64($0)) })
        add("elapsed_seconds", elapsed.map(Self.seconds))
        add("remaining_seconds", remaining.map(Self.seconds))
        add("attempts", .integer(attempts))
        add("maximum_attempts", .integer(maximumAttempts))
        add("worker", worker.map { .string($0) })
        add("created_by", .string(createdBy))
        add("created_at", .string(createdAt.description))
        add("started_at", startedAt.map { .string($0.description) })
        add("finished_at", finishedAt.map { .string($0.description) })
        add("retry_at", retryAt.map { .string($0.description) })
        add("expires_at", expiresAt.map { .string($0.description) })
        add("payload", Self.json(payload))
        add("result", result.map(Self.json))
        add("error", failure.map(Self.document))
        return .object(members)
    }

    private static func document(_ failure: JobFailure) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("code", .string(failure.code)), .init("detail", .string(failure.message)),
        ]
        if let hint = failure.hint { members.append(.init("hint", .string(hint))) }
        if let reasons = failure.reasons { members.append(.init("errors", json(reasons))) }
        if let count = failure.violationCount { members.append(.init("violation_count", .integer(count))) }
        return .object(members)
    }

    /// With milliseconds.
    private static func seconds(_ duration: Duration) -> JSONValue {
        let milliseconds = Int64(duration / .milliseconds(1))
        let fraction = String(milliseconds % 1_000 + 1_000).dropFirst()
        return .number("\(milliseconds / 1_000).\(fraction)")
    }

    /// PostgreSQL takes a little more for JSON than the parser here does.
    private static func json(_ text: String) -> JSONValue {
        (try? JSONValue.parse(Array(text.utf8))) ?? .string(text)
    }
}
