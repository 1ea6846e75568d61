import Testing

/// The metrics of a server that are about Redis, as they are now.
struct RedisMetricsOfServer {
    static let usable = #"larder_online_store_usable{project="shop"}"#

    let server: RunningServer

    /// Nil for a series that is not there.
    func value(_ series: String) async throws -> Double? {
        try await server.get("/metrics").text.split(separator: "\n")
            .first { $0.hasPrefix("\(series) ") }?.split(separator: " ").last.flatMap { Double($0) }
    }

    func ofReads(_ name: String) async throws -> Double? {
        try await value(#"\#(name){client="larder-reads"}"#)
    }

    func failures(_ reason: String) async throws -> Double? {
        try await value(#"larder_redis_commands_failed_total{client="larder-reads",reason="\#(reason)"}"#)
    }

    /// Connections are made and lost a moment after what makes them so.
    func waitForConnections(_ count: Double) async throws {
        let deadline = ContinuousClock.now + .seconds(5)
        while try await ofReads("larder_redis_connections") != count, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await ofReads("larder_redis_connections") == count)
    }
}
