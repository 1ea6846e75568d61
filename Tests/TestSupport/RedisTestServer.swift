internal import Foundation
internal import Logging
public import RedisClient

/// A test could not get the server it needs; the text says what to do.
public struct RedisTestServerError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The Redis server that all tests share.
public enum RedisTestServer {
    /// - Throws: ``RedisTestServerError`` with the remedy when no server was named.
    public static func configuration() throws -> RedisConfiguration {
        guard let url = ProcessInfo.processInfo.environment["LARDER_REDIS_URL"], !url.isEmpty else {
            throw RedisTestServerError("LARDER_REDIS_URL is not set: run dev/test, or eval \"$(dev/stack env)\"")
        }
        return try RedisConfiguration(url: url)
    }
}

/// Runs `body` with a client of the shared server and a key prefix that is its alone, and deletes the keys that start
/// with it afterwards.
public func withRedisPrefix<Value>(
    _ body: (RedisClient, String) async throws -> Value
) async throws -> Value {
    let configuration = try RedisTestServer.configuration()
    let prefix = "test:\(String(UInt64.random(in: .min ... .max), radix: 36)):"
    return try await withRedisClient(configuration, logger: .silent) { client in
        let outcome: Result<Value, any Error>
        do { outcome = .success(try await body(client, prefix)) } catch { outcome = .failure(error) }
        try await deleteKeys(withPrefix: prefix, client)
        return try outcome.get()
    }
}

private func deleteKeys(withPrefix prefix: String, _ client: RedisClient) async throws {
    var cursor = "0"
    repeat {
        let reply = try await client.execute(
            RedisCommand("SCAN", .string(cursor), "MATCH", .string(prefix + "*"), "COUNT", 1000))
        guard let parts = reply.elements, parts.count == 2, let next = parts[0].string else { return }
        let keys = parts[1].elements?.compactMap(\.bytes) ?? []
        if !keys.isEmpty { _ = try await client.execute(RedisCommand("UNLINK", keys.map { .bytes($0) })) }
        cursor = next
    } while cursor != "0"
}
