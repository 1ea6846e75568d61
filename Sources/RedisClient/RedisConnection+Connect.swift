public import Logging
public import NIOCore
internal import NIOPosix
internal import Synchronization

extension RedisConnection {
    /// Opens a connection, authenticates, selects the database and reads the server's identity.
    ///
    /// - Parameters:
    ///   - eventLoop: a loop of a `MultiThreadedEventLoopGroup`; the connection lives on it.
    ///   - generation: see ``RedisConnection/generation``.
    /// - Throws: ``RedisError``: `connectionFailed`, `authenticationFailed`, `cancelled`.
    public static func connect(
        _ configuration: RedisConfiguration,
        on eventLoop: any EventLoop,
        generation: UInt64 = 0,
        logger: Logger
    ) async throws(RedisError) -> RedisConnection {
        try await connect(configuration, on: eventLoop, generation: generation, metrics: nil, logger: logger)
    }

    /// - Parameter metrics: told of what becomes of commands, once the handshake is done.
    static func connect(
        _ configuration: RedisConfiguration,
        on eventLoop: any EventLoop,
        generation: UInt64,
        metrics: RedisMetrics?,
        logger: Logger
    ) async throws(RedisError) -> RedisConnection {
        let attempt = ConnectAttempt(on: eventLoop)
        openChannel(configuration, on: eventLoop)
            .flatMap { handshake($0, configuration, generation, metrics) }
            .whenComplete { result in
                // Nobody waits for a connection that came after the cancellation.
                if !attempt.settle(result), case .success(let late) = result { late.beginClose() }
            }
        do {
            let connection = try await withTaskCancellationHandler {
                try await attempt.outcome.get()
            } onCancel: {
                _ = attempt.settle(.failure(RedisError(.cancelled, "the task was cancelled")))
            }
            logger.debug(
                "connected to Redis",
                metadata: [
                    "server": "\(configuration)", "run_id": "\(connection.runID)", "generation": "\(generation)",
                ])
            return connection
        } catch let error as RedisError {
            switch error.code {
            case .authenticationFailed, .cancelled: throw error
            default: throw RedisError(.connectionFailed, "connecting to \(configuration): \(error.message)")
            }
        } catch {
            throw RedisError(.connectionFailed, "connecting to \(configuration): \(error)")
        }
    }

    /// A channel whose peer may not have been talked to yet.
    private struct OpenedChannel: Sendable {
        let channel: any Channel
        let handler: NIOLoopBound<PipelineHandler>
    }

    private static func openChannel(
        _ configuration: RedisConfiguration, on eventLoop: any EventLoop
    ) -> EventLoopFuture<OpenedChannel> {
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(bounding: configuration.connectTimeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let parser = ReplyParser() else {
                        throw RedisError(.connectionFailed, "no memory for a reply parser")
                    }
                    let handler = PipelineHandler(configuration: configuration, parser: parser)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        let channel =
            switch configuration.address {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unixSocket(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        return channel.flatMapThrowing { channel in
            let handler = try channel.pipeline.syncOperations.handler(type: PipelineHandler.self)
            return OpenedChannel(channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }
    }

    /// Runs on the channel's event loop. The commands go out together; their answers are judged in order.
    private static func handshake(
        _ opened: OpenedChannel, _ configuration: RedisConfiguration, _ generation: UInt64, _ metrics: RedisMetrics?
    ) -> EventLoopFuture<RedisConnection> {
        let handler = opened.handler.value
        func send(_ command: RedisCommand) -> EventLoopFuture<RedisReply> {
            let promise = opened.channel.eventLoop.makePromise(of: RedisReply.self)
            handler.send(command, promise)
            return promise.futureResult
        }
        var required: [EventLoopFuture<Void>] = []
        if let credentials = configuration.credentials {
            let password = RedisArgument.string(credentials.password)
            let arguments = credentials.username.map { [.string($0), password] } ?? [password]
            required.append(
                send(RedisCommand("AUTH", arguments)).map { _ in }
                    .flatMapErrorThrowing { throw refusedCredentials($0) })
        }
        if configuration.database != 0 {
            required.append(
                send(RedisCommand("SELECT", .integer(Int64(configuration.database)))).map { _ in }
                    .flatMapErrorThrowing { throw authenticationFailure($0) })
        }
        let information = send(RedisCommand("INFO", "server")).flatMapErrorThrowing {
            throw authenticationFailure($0)
        }
        // A name is a convenience: a server that renamed the command is as good.
        let named = send(RedisCommand("CLIENT", "SETNAME", .string(configuration.clientName)))
            .map { _ in }.recover { _ in }
        return EventLoopFuture.andAllSucceed(required, on: opened.channel.eventLoop)
            .flatMap { information }
            .and(named)
            .flatMapThrowing { reply, _ in
                let runID = try runID(in: reply)
                opened.handler.value.finishHandshake(configuration, metrics)
                return RedisConnection(
                    channel: opened.channel, handler: opened.handler, runID: runID, generation: generation)
            }
            .flatMapErrorThrowing { error in
                opened.channel.close(promise: nil)
                throw error
            }
    }

    /// Besides words about credentials a server may answer `AUTH` with that it has too many clients.
    private static func refusedCredentials(_ error: any Error) -> any Error {
        guard let error = error as? RedisError, error.code.serverPrefix != nil else { return error }
        let isAboutCredentials = ["AUTH", "PASS", "password", "NOPERM"].contains { error.message.contains($0) }
        guard isAboutCredentials else { return error }
        return RedisError(.authenticationFailed, "the server refused the credentials: \(error.message)")
    }

    /// A server that wants credentials says so at the first command that is not `AUTH`.
    private static func authenticationFailure(_ error: any Error) -> any Error {
        guard let error = error as? RedisError, error.code == .server("NOAUTH") else { return error }
        return RedisError(.authenticationFailed, "the server asks for credentials: \(error.message)")
    }

    private static func runID(in information: RedisReply) throws(RedisError) -> String {
        let key = "run_id:"
        let lines = (information.string ?? "").split(whereSeparator: \.isNewline)
        guard let line = lines.first(where: { $0.hasPrefix(key) }), line.utf8.count > key.utf8.count else {
            throw RedisError(.unexpectedReply, "INFO server has no run_id")
        }
        return String(line.dropFirst(key.count))
    }
}

/// The outcome of connecting, decided once: by the connection or by the cancellation of who waits for it.
private final class ConnectAttempt: Sendable {
    private let promise: EventLoopPromise<RedisConnection>
    private let isSettled = Atomic<Bool>(false)

    init(on eventLoop: any EventLoop) {
        promise = eventLoop.makePromise(of: RedisConnection.self)
    }

    var outcome: EventLoopFuture<RedisConnection> { promise.futureResult }

    /// - Returns: false when it was decided before; then nothing changes.
    func settle(_ result: Result<RedisConnection, any Error>) -> Bool {
        if isSettled.exchange(true, ordering: .acquiringAndReleasing) { return false }
        promise.completeWith(result)
        return true
    }
}
