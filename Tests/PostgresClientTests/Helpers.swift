import PostgresClient
import TestSupport

/// Runs `body` with a connection to a database of its own.
@discardableResult
func withConnection<T>(_ body: (PostgresConnection) async throws -> T) async throws -> T {
    try await withDatabase { (configuration) async throws in try await connected(to: configuration, body) }
}

/// Runs `body` with a connection, which is closed afterwards.
@discardableResult
func connected<T>(
    to configuration: PostgresConfiguration, _ body: (PostgresConnection) async throws -> T
) async throws -> T {
    let connection = try await PostgresConnection.connect(configuration)
    do {
        let result = try await body(connection)
        await connection.close()
        return result
    } catch {
        await connection.close()
        throw error
    }
}

/// The error that `body` throws; nil when it throws none, or another than a `PostgresError`.
func postgresError(_ body: () async throws -> Void) async -> PostgresError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

/// Waits until `condition` holds, for some seconds at most.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<400 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}

/// Takes every chunk of a COPY.
func drain(_ copy: PostgresCopyOut) async throws {
    while true {
        guard try await copy.next() != nil else { return }
    }
}
