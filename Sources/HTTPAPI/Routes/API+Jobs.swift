import FeatureDefinitions
import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird
import Jobs
import TextFormats

extension API {
    var jobRoutes: [Route] {
        [
            Route(.get, "/v1/projects/{project}/jobs", listJobs),
            Route(.get, "/v1/projects/{project}/jobs/{id}") { _, context in
                try await respond(context) { .json(try await $0.job($1, in: $2).document) }
            },
            Route(.delete, "/v1/projects/{project}/jobs/{id}") { _, context in
                try await respond(context) { .json(try await $0.cancel($1, in: $2).document, status: .accepted) }
            },
            Route(.post, "/v1/projects/{project}/jobs/{id}/retry") { _, context in
                try await respond(context) { .json(try await $0.retry($1, in: $2).document, status: .accepted) }
            },
            Route(.get, "/v1/projects/{project}/jobs/{id}/output") { _, context in
                try await respond(context) { .download(try await $0.output($1, in: $2)) }
            },
        ]
    }

    /// How many jobs a list has, unless the request says so.
    private static let listLimit = 100
    private static let maximumListLimit = 1_000

    @Sendable
    private func listJobs(_ request: Request, _ context: APIContext) async throws -> Response {
        let query = JobListQuery(request: request)
        let states = try query.states()
        let limit = try query.number("limit") ?? Int64(Self.listLimit)
        guard (1...Int64(Self.maximumListLimit)).contains(limit) else {
            throw LarderError(.requestInvalid, "limit is not between 1 and \(Self.maximumListLimit)")
        }
        let project = try await jobProject(context)
        let jobs = try await JobControl(stores: try stores())
            .list(in: project, states: states, before: try query.number("before"), limit: Int(limit))
        return .json(
            .object([
                .init("project", .string(project.name)), .init("jobs", .array(jobs.map(\.document))),
            ]))
    }

    private func respond(
        _ context: APIContext, _ body: (JobControl, Int64, RegisteredProject) async throws -> Response
    ) async throws -> Response {
        let text = try context.parameters.require("id")
        guard let id = Int64(text) else {
            throw LarderError(.jobNotFound, "there is no job \"\(text.prefix(63))\"", hint: "ids of jobs are numbers")
        }
        return try await body(JobControl(stores: try stores()), id, try await jobProject(context))
    }

    private func jobProject(_ context: APIContext) async throws -> RegisteredProject {
        try await stores().project(
            named: context.parameters.require("project"), in: try? dependencies.snapshots.current())
    }
}

/// The query parameters of a list of jobs.
private struct JobListQuery {
    let request: Request

    func number(_ name: String) throws(LarderError) -> Int64? {
        guard let text = request.uri.queryParameters[name[...]] else { return nil }
        guard let number = Int64(text) else {
            throw LarderError(.requestInvalid, "\(name) \"\(text.prefix(63))\" is no number")
        }
        return number
    }

    /// `state=queued,running`, and the parameter several times.
    func states() throws(LarderError) -> Set<JobState> {
        var states: Set<JobState> = []
        for name in request.uri.queryParameters[values: "state"].flatMap({ $0.split(separator: ",") }) {
            guard let state = JobState(rawValue: String(name)) else {
                throw LarderError(
                    .requestInvalid, "jobs are in no state \"\(name.prefix(63))\"",
                    hint: "states are \(JobState.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            states.insert(state)
        }
        return states
    }
}

extension Response {
    /// A job's output, in the pieces that PostgreSQL has. Should one be missing, the connection breaks off before the length
    /// that was promised.
    fileprivate static func download(_ download: JobDownload) -> Response {
        var headers: HTTPFields = [.contentType: download.contentType]
        if let name = download.fileName { headers[.contentDisposition] = "attachment; filename=\"\(name)\"" }
        let body = ResponseBody(contentLength: Int(download.byteCount)) { writer in
            for try await piece in download.pieces { try await writer.write(ByteBuffer(bytes: piece)) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}
