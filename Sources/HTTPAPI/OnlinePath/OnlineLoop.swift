import FeatureDefinitions
import FeatureModel
import FeatureService
import Logging
import NIOCore
import NIOHTTP1
import OnlineStore
import RedisClient
import Synchronization

/// What the connections of one event loop share, and only they.
///
/// Objects that several loops use on each request are slow for all of them: each counts references to them, and a counter's
/// memory goes back and forth between the processors. So each loop has templates, a snapshot and a connection of its own.
final class OnlineLoop {
    /// What requests have in common that differ in the values of their keys alone.
    private struct Compiled {
        let template: OnlineTemplate
        let parts: OnlineAnswerParts
    }

    let path: OnlinePath
    let reader: OnlineReader
    let clock: ServingClock
    /// Whether lines of requests that went well are wanted.
    let logsSuccess: Bool
    private(set) var date = HTTPDate()
    var heads: KnownHeads
    private let eventLoop: any EventLoop
    private var connection: RedisConnection?
    private var snapshot: ServingSnapshot?
    private var snapshotVersion = -1
    /// By signature, of the snapshot.
    private var compiled = BoundedCache<[UInt8], Compiled>()

    init(_ path: OnlinePath, _ eventLoop: any EventLoop) {
        self.path = path
        self.eventLoop = eventLoop
        heads = KnownHeads(path)
        reader = path.onlineFeatures.reader
        clock = path.configuration.clock
        logsSuccess = path.logger.logLevel <= .debug
    }

    /// The time that goes with an answer.
    func currentDate() -> HTTPDate {
        date.renew()
        return date
    }

    /// - Returns: nil when the request has to go the ordinary way.
    func begin(_ route: OnlinePath.Route, isKeptAlive: Bool, _ body: ByteBuffer) -> OnlineExchange? {
        guard let connection = currentConnection(), let snapshot = currentSnapshot(),
            let body = OnlineBody(
                Array(buffer: body), ignoring: route.project == nil ? API.ignoredFeastMembers : [],
                limits: path.onlineFeatures.limits),
            let compiled = compiled(body, route, snapshot),
            compiled.template.allows(entityCount: body.entityCount),
            // Feast has times that are features in another form.
            route.project != nil || !compiled.template.hasTimes
        else { return nil }
        let template = compiled.template
        var columns: [Column] = []
        columns.reserveCapacity(body.keys.count)
        for key in body.keys.indices {
            guard let column = body.column(key, type: template.keys[key].type) else { return nil }
            columns.append(column)
        }
        guard let lookup = try? template.lookup(columns: columns, entityCount: body.entityCount),
            let command = lookup.onlyCommand
        else { return nil }
        path.metrics.count(.eventLoop)
        return OnlineExchange(
            self, route: route, isKeptAlive: isKeptAlive, body: body,
            template: template, parts: compiled.parts, columns: columns, lookup: lookup, command: command,
            connection: connection)
    }

    private func currentConnection() -> RedisConnection? {
        if let connection, connection.isActive { return connection }
        connection = reader.connection(for: eventLoop)
        return connection
    }

    private func currentSnapshot() -> ServingSnapshot? {
        let version = path.snapshots.version
        if version == snapshotVersion, let snapshot { return snapshot }
        compiled.removeAll()
        // What is published between the two lines only makes the next request look again.
        snapshot = try? path.snapshots.current()
        snapshotVersion = version
        return snapshot
    }

    private func compiled(
        _ body: OnlineBody, _ route: OnlinePath.Route, _ snapshot: ServingSnapshot
    ) -> Compiled? {
        let signature = body.signature(inProject: route.project ?? "")
        if let known = compiled[signature] { return known }
        guard let project = try? project(of: route, in: snapshot), let features = body.request,
            let template = try? path.onlineFeatures.template(
                project, features, usesFullFeatureNames: body.usesFullFeatureNames, keyNames: body.keyNames)
        else { return nil }
        let made = Compiled(
            template: template, parts: OnlineAnswerParts(template, includesVersions: body.includesVersions))
        compiled.insert(made, for: signature, features: template.outputs.count)
        return made
    }

    private func project(
        of route: OnlinePath.Route, in snapshot: ServingSnapshot
    ) throws(LarderError) -> ServedProject {
        if let name = route.project { return try snapshot.project(named: name) }
        return try API.feastProject(path.configuration, snapshot)
    }
}

/// The loops of a server.
final class OnlineLoops: Sendable {
    private let path: OnlinePath
    private let loops = Mutex<[ObjectIdentifier: NIOLoopBound<OnlineLoop>]>([:])

    init(_ path: OnlinePath) {
        self.path = path
    }

    /// - Precondition: called on the event loop.
    func loop(for eventLoop: any EventLoop) -> OnlineLoop {
        let bound = loops.withLock { loops in
            if let loop = loops[ObjectIdentifier(eventLoop)] { return loop }
            let loop = NIOLoopBound(OnlineLoop(path, eventLoop), eventLoop: eventLoop)
            loops[ObjectIdentifier(eventLoop)] = loop
            return loop
        }
        return bound.value
    }
}
