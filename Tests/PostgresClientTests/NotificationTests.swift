import PostgresClient
import TestSupport
import Testing

@Suite struct NotificationTests {
    @Test func notificationsArriveWithoutAnyStatement() async throws {
        try await withDatabase { (configuration) async throws in
            let stream = try await listen(configuration, channel: "changes")
            try await connected(to: configuration) { (sender) async throws in
                try await Task.sleep(for: .milliseconds(50))
                for number in 0..<3 {
                    try await sender.query("SELECT pg_notify('changes', \("payload \(number)"))")
                }
                var payloads: [String] = []
                for await notification in stream {
                    #expect(notification.channel == "changes")
                    #expect(notification.backendProcessID == sender.backendProcessID)
                    payloads.append(notification.payload)
                    if payloads.count == 3 { break }
                }
                #expect(payloads == ["payload 0", "payload 1", "payload 2"])
            }
        }
    }

    /// The connection is referred to by nothing but the stream when this returns.
    private func listen(
        _ configuration: PostgresConfiguration, channel: String
    ) async throws -> AsyncStream<PostgresNotification> {
        let connection = try await PostgresConnection.connect(configuration)
        try await connection.execute("LISTEN \(identifier: channel)")
        return await connection.notifications()
    }

    @Test func theStreamEndsWhenTheConnectionIsLost() async throws {
        try await withDatabase { (configuration) async throws in
            let connection = try await PostgresConnection.connect(configuration)
            try await connection.execute("LISTEN changes")
            let stream = await connection.notifications()
            try await connected(to: configuration) { (observer) async throws in
                try await observer.query("SELECT pg_terminate_backend(\(connection.backendProcessID))")
            }
            for await _ in stream {}
            #expect(connection.isBroken)
            for await _ in await connection.notifications() {}
        }
    }

    @Test func notificationsThatComeBesideResultsAreDeliveredToEveryStream() async throws {
        try await withConnection { (connection) async throws in
            try await connection.execute("LISTEN a")
            let first = await connection.notifications()
            let second = await connection.notifications()
            try await connection.query("SELECT pg_notify('a', '')")
            for stream in [first, second] {
                var iterator = stream.makeAsyncIterator()
                #expect(await iterator.next()?.channel == "a")
            }
        }
    }
}
