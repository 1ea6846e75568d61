import FeatureDefinitions
import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird
import Jobs
import TextFormats

/// The paths of Feast's feature server that change something. What its clients read of an answer is the status; the body
/// says what Larder's own paths say.
extension API {
    var feastWriteRoutes: [Route] {
        [
            Route(.post, "/push") { request, _ in
                try await writeFeastRows(
                    FeastWriteRequest(
                        push: try await feastBody(request), maximumRows: configuration.limits.maximumRows))
            },
            Route(.post, "/write-to-online-store") { request, _ in
                try await writeFeastRows(
                    FeastWriteRequest(
                        writeToOnlineStore: try await feastBody(request),
                        maximumRows: configuration.limits.maximumRows))
            },
            Route(.post, "/materialize") { request, _ in
                try await materializeForFeast(
                    request, MaterializeViews.Request(feastRange: try await feastBody(request)))
            },
            Route(.post, "/materialize-incremental") { request, _ in
                try await materializeForFeast(
                    request,
                    MaterializeViews.Request(
                        feastIncremental: try await feastBody(request), now: ServingClock.systemTime))
            },
        ]
    }

    /// Whatever the client says of its type: what Feast's server takes is JSON.
    private func feastBody(_ request: Request) async throws -> JSONValue {
        try await request.json(maximumBytes: configuration.limits.maximumBodyBytes)
    }

    /// 202 where rows are written and still wait to be published.
    private func writeFeastRows(_ write: FeastWriteRequest) async throws -> Response {
        let stores = try stores()
        let report = try await WriteFeastRows(stores: stores).run(write, in: try await writtenFeastProject(stores))
        return .json(report.document, status: report.isPending ? .accepted : .ok)
    }

    /// Answers when the materialization is done, or with `?async=true` as soon as it is queued.
    private func materializeForFeast(
        _ request: Request, _ materialization: MaterializeViews.Request
    ) async throws -> Response {
        let isAwaited = try !request.isFeastAsynchronous
        let stores = try stores()
        let project = try await writtenFeastProject(stores)
        let jobs = MaterializeJobs(stores: stores)
        let job = try await jobs.enqueue(materialization, isAwaited: isAwaited, in: project)
        if isAwaited { return .json(try await jobs.wait(for: job, in: project).document) }
        let views =
            materialization.views.isEmpty
            ? project.featureViews.filter { !$0.isRemoved }.map(\.name) : materialization.views
        return .json(
            .object([
                .init("status", .string("accepted")), .init("feature_views", .array(views.map(JSONValue.string))),
                .init("job", job.document),
            ]), status: .accepted)
    }

    /// From the registry itself: what the server has in memory may be a second behind.
    private func writtenFeastProject(_ stores: Stores) async throws -> RegisteredProject {
        try await stores.project(
            named: feastProject().project.name, in: try? dependencies.snapshots.current())
    }
}

extension Request {
    /// `async` as Feast's server reads it.
    fileprivate var isFeastAsynchronous: Bool {
        get throws(LarderError) {
            guard let text = uri.queryParameters["async"] else { return false }
            switch text.lowercased() {
            case "true", "t", "yes", "y", "on", "1": return true
            case "false", "f", "no", "n", "off", "0": return false
            default:
                throw LarderError(
                    .requestInvalid, "async is \"\(text.prefix(63))\", which is neither true nor false")
            }
        }
    }
}
