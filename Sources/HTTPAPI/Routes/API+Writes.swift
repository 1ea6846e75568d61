import FeatureService
import HTTPTypes
import Hummingbird

extension API {
    var writeRoutes: [Route] {
        [
            Route(.post, "/v1/projects/{project}/sources/{name}/rows", writeSourceRows),
            Route(.post, "/v1/projects/{project}/feature-views/{name}/rows", writeViewRows),
        ]
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

    /// 202 where the rows are written and still wait to be published.
    @Sendable
    private func writeViewRows(_ request: Request, _ context: APIContext) async throws -> Response {
        try request.requireJSONIsAcceptable()
        let stores = try stores()
        let rows = try await RowsRequest(
            request, maximumBytes: configuration.limits.maximumBodyBytes, furtherMembers: ["to"])
        let destination = try RowsRequest.destination(request.headers, rows.json)
        let name = try context.parameters.require("name")
        let project = try await stores.project(
            named: context.parameters.require("project"), in: try? dependencies.snapshots.current())
        let report = try await WriteViewRows(stores: stores).run(
            .init(
                view: name, rows: .payload(rows.rows),
                schemaVersion: try project.requiredVersion(rows.schemaVersion, ofView: name), mode: rows.mode,
                destination: destination, idempotencyKey: rows.idempotencyKey),
            in: project)
        return .json(report.document, status: report.online.isPending ? .accepted : .ok)
    }
}
