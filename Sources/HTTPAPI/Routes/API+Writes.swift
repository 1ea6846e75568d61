import FeatureService
import HTTPTypes
import Hummingbird

extension API {
    var writeRoutes: [Route] {
        [Route(.post, "/v1/projects/{project}/sources/{name}/rows", writeSourceRows)]
    }

    @Sendable
    private func writeSourceRows(_ request: Request, _ context: APIContext) async throws -> Response {
        try request.requireJSONIsAcceptable()
        let stores = try stores()
        let rows = try await RowsRequest(request, maximumBytes: configuration.limits.maximumBodyBytes)
        // From the registry itself: what the server has in memory may be a second behind.
        let project = try await stores.project(named: context.parameters.require("project"))
        let report = try await WriteSourceRows(stores: stores).run(
            .init(
                source: context.parameters.require("name"), schemaVersion: rows.schemaVersion, rows: rows.rows,
                mode: rows.mode, idempotencyKey: rows.idempotencyKey),
            in: project)
        return .json(report.document)
    }
}
