import FeatureService
import HTTPTypes
import Hummingbird
import Jobs

extension API {
    var materializationRoutes: [Route] {
        [Route(.post, "/v1/projects/{project}/materializations", enqueueMaterialization)]
    }

    @Sendable
    private func enqueueMaterialization(_ request: Request, _ context: APIContext) async throws -> Response {
        try request.requireJSONIsAcceptable()
        try request.requireJSONBody()
        let json = try await request.json(maximumBytes: configuration.limits.maximumBodyBytes)
        let materialization = try MaterializeViews.Request(json: json)
        let stores = try stores()
        let project = try await stores.project(
            named: context.parameters.require("project"), in: try? dependencies.snapshots.current())
        let job = try await MaterializeJobs(stores: stores).enqueue(materialization, in: project)
        return .json(job.document, status: .accepted)
    }
}
