internal import Synchronization

/// A Lua script that the server runs by its SHA-1 and is sent only when the server does not have it.
public struct RedisScript: Sendable {
    public let source: String
    /// The digest is the server's to compute; once told, it holds for every server.
    private let digest = Digest()

    public init(_ source: String) {
        self.source = source
    }

    /// SHA-1 of the source as 40 hexadecimal digits; nil until a server has loaded the script.
    public var sha1: String? { digest.value.withLock { $0 } }

    fileprivate func setSHA1(_ sha1: String) {
        digest.value.withLock { $0 = sha1 }
    }

    private final class Digest: Sendable {
        let value = Mutex<String?>(nil)
    }

    /// The keys and arguments of one run.
    public struct Invocation: Sendable {
        private let keys: RedisArguments
        private let arguments: RedisArguments

        public init(keys: some Sequence<RedisArgument>, arguments: some Sequence<RedisArgument>) {
            self.init(keys: RedisArguments(keys), arguments: RedisArguments(arguments))
        }

        public init(keys: RedisArguments, arguments: RedisArguments) {
            self.keys = keys
            self.arguments = arguments
        }

        fileprivate func command(sha1: String) -> RedisCommand {
            RedisCommand("EVALSHA", reservingCapacity: 64 + keys.byteCount + arguments.byteCount) { encoder in
                encoder.append(string: sha1)
                encoder.append(integer: Int64(keys.count))
                encoder.append(keys)
                encoder.append(arguments)
            }
        }
    }
}

extension RedisExecutor {
    /// Runs a script.
    ///
    /// - Throws: ``RedisError``; code `server` when the script failed.
    public func evaluate(
        _ script: RedisScript, keys: [RedisArgument], arguments: [RedisArgument]
    ) async throws(RedisError) -> RedisReply {
        let invocation = RedisScript.Invocation(keys: keys, arguments: arguments)
        guard let outcome = try await evaluate(script, [invocation]).first else {
            throw RedisError(.unexpectedReply, "a pipeline of one script had no outcome")
        }
        return try outcome.get()
    }

    /// Runs a script many times as one pipeline.
    ///
    /// When the server does not have the script (a new server, `SCRIPT FLUSH`), it is loaded, and the runs that failed
    /// for that reason are sent again after the others: then their order is not that of `invocations`.
    ///
    /// - Returns: an outcome for each invocation, in their order.
    /// - Throws: ``RedisError`` as `execute` does, and when the script cannot be loaded; then nothing was run.
    public func evaluate(
        _ script: RedisScript, _ invocations: [RedisScript.Invocation]
    ) async throws(RedisError) -> [Result<RedisReply, RedisError>] {
        if invocations.isEmpty { return [] }
        let sha1: String
        if let known = script.sha1 { sha1 = known } else { sha1 = try await load(script) }
        var outcomes = try await execute(invocations.map { $0.command(sha1: sha1) })
        let missed = outcomes.indices.filter { index in
            if case .failure(let error) = outcomes[index] { error.code == .server("NOSCRIPT") } else { false }
        }
        if missed.isEmpty { return outcomes }
        do {
            _ = try await load(script)
            let repeated = try await execute(missed.map { invocations[$0].command(sha1: sha1) })
            for (index, outcome) in zip(missed, repeated) { outcomes[index] = outcome }
        } catch {
            // The other runs were made: their outcomes stand.
            for index in missed { outcomes[index] = .failure(error) }
        }
        return outcomes
    }

    private func load(_ script: RedisScript) async throws(RedisError) -> String {
        let reply = try await execute(RedisCommand("SCRIPT", "LOAD", .string(script.source)))
        guard let sha1 = reply.string, sha1.utf8.count == 40, sha1.allSatisfy(\.isHexDigit) else {
            throw RedisError(.unexpectedReply, "SCRIPT LOAD answered with a \(reply.kind) that is not a SHA-1")
        }
        script.setSHA1(sha1)
        return sha1
    }
}
