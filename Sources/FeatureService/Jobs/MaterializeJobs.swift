public import FeatureDefinitions
import FeatureModel
public import Jobs
import OfflineStore
import PostgresClient
import Registry
import Synchronization
import TextFormats

/// Materializations that a worker does one after the other: however many are asked for at once, they take the
/// connections of one.
public struct MaterializeJobs: Sendable {
    private static let firstPause: Duration = .milliseconds(20)
    private static let longestPause: Duration = .milliseconds(500)

    private let stores: Stores
    private let parallelViews: Int
    private let jobs = JobStore()

    /// - Parameter parallelViews: as `MaterializeViews` takes it; matters to whoever does jobs.
    public init(stores: Stores, parallelViews: Int = 2) {
        self.stores = stores
        self.parallelViews = parallelViews
    }

    /// Queues a materialization.
    ///
    /// - Parameter isAwaited: someone waits for its end, and is better told at once that a server is away than kept
    ///   waiting for further attempts.
    /// - Throws: `feature_view_not_found`; nothing is queued then.
    public func enqueue(
        _ request: MaterializeViews.Request, isAwaited: Bool = false, in project: RegisteredProject
    ) async throws -> Job {
        for view in request.views { _ = try project.featureView(named: view) }
        var job = NewJob(
            projectID: project.id, kind: .materialize,
            payload: String(decoding: request.document.serialized(), as: UTF8.self), createdBy: stores.actor)
        if isAwaited { job.maximumAttempts = 1 }
        let queued = job
        return try await stores.writer.withConnection { connection in try await jobs.enqueue(queued, on: connection) }
    }

    /// What the online data has to be published again for, out of the offline tables.
    enum OnlineLoss {
        /// Redis does not hold what was published to it.
        case ofRedis(onlineIncarnation: Int64)
        /// It was published under another incarnation of the database.
        case ofIncarnation(now: Incarnation)

        fileprivate var key: String {
            switch self {
            case .ofRedis(let onlineIncarnation): "refill:\(onlineIncarnation)"
            case .ofIncarnation(let now): "incarnation:\(now.id)"
            }
        }
    }

    /// Queues what publishes everything again, unless that is queued already.
    ///
    /// - Parameters:
    ///   - loss: what is to be done is done once for each.
    ///   - end: publishes through this time instead of now, for servers whose clock stands still.
    /// - Returns: the job; nil where there is one, or there was one a moment ago.
    func enqueueRefill(
        after loss: OnlineLoss, through end: Timestamp?, in project: RegisteredProject,
        on connection: PostgresConnection
    ) async throws -> Job? {
        try await publishOnce(views: [], through: end, key: loss.key, in: project, on: connection)
    }

    /// Queues what publishes pushed rows that Redis did not take when they came, unless such a job is under way.
    ///
    /// - Returns: the job; nil where there is one, which may have read the table before, or there was one a moment ago.
    func enqueuePending(
        of views: [String], through end: Timestamp?, in project: RegisteredProject, on connection: PostgresConnection
    ) async throws -> Job? {
        try await publishOnce(views: views, through: end, key: "pending", in: project, on: connection)
    }

    private func publishOnce(
        views: [String], through end: Timestamp?, key: String, in project: RegisteredProject,
        on connection: PostgresConnection
    ) async throws -> Job? {
        let request = MaterializeViews.Request(
            views: views, bounds: EventTimeBounds(start: nil, end: end), stages: [.online])
        let job = NewJob(
            projectID: project.id, kind: .materialize,
            payload: String(decoding: request.document.serialized(), as: UTF8.self), createdBy: stores.actor)
        return try await jobs.enqueueOnce(job, key: key, on: connection)
    }

    /// Waits for a job to be over, whoever does it.
    ///
    /// - Returns: the job, which succeeded.
    /// - Throws: what it failed with; `job_not_succeeded` when it was cancelled.
    public func wait(for job: Job, in project: RegisteredProject) async throws -> Job {
        var job = job
        var pause = Self.firstPause
        while !job.state.isFinished {
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.longestPause)
            job = try await JobControl(stores: stores).job(job.id, in: project)
        }
        if job.state == .succeeded { return job }
        guard let failure = job.failure else {
            throw LarderError(.jobNotSucceeded, "materialization job \(job.id) was cancelled")
        }
        throw failure.error(of: "materialization job \(job.id)")
    }

    /// Does a job: `JobWorker`'s handler.
    public func perform(_ job: ClaimedJob, _ progress: JobProgress) async throws -> String {
        let request = try MaterializeViews.Request(json: try JSONValue.parse(Array(job.payload.utf8)))
        let project = try await stores.project(named: job.projectName)
        let rows = Mutex(RowsOfSteps())
        let materialize = MaterializeViews(stores: stores, parallelViews: parallelViews)
        let results = try await materialize.run(request, in: project) { view, stage, count in
            let note = "\(stage == .offline ? "computing" : "publishing") \(view)"
            let sum = rows.withLock { $0.add(count, of: note) }
            // Another view's sum may have come in between.
            progress.update { ($0.rowsDone, $0.note) = (max($0.rowsDone, sum), note) }
        }
        if let failure = results.failure { throw failure }
        let result = JSONValue.object([.init("feature_views", .array(results.map(\.document)))])
        return String(decoding: result.serialized(), as: UTF8.self)
    }
}

/// Adds up what steps, some of them side by side, tell of their own rows.
private struct RowsOfSteps {
    private var rows: [String: Int64] = [:]
    private var sum: Int64 = 0

    /// - Parameter count: rows that the step has handled so far; fewer than before begin another generation of a view.
    /// - Returns: the rows of all steps.
    mutating func add(_ count: Int64, of step: String) -> Int64 {
        let before = rows[step, default: 0]
        sum += count < before ? count : count - before
        rows[step] = count
        return sum
    }
}
