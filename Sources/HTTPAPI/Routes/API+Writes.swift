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
        let rows = try await RowsRequest(request, limits: configuration.limits)
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
        let rows = try await RowsRequest(request, limits: configuration.limits, furtherMembers: ["to"])
        let destination = try RowsRequest.destination(request.headers, rows.json)
        let report = try await write(
            .init(
                view: try context.parameters.require("name"), rows: .payload(rows.rows),
                schemaVersion: rows.schemaVersion, mode: rows.mode, destination: destination,
                idempotencyKey: rows.idempotencyKey),
            in: try context.parameters.require("project"), stores)
        return .json(report.document, status: report.online.isPending ? .accepted : .ok)
    }

    /// Together with other pushes where that can be, else alone.
    private func write(
        _ request: WriteViewRows.Request, in projectName: String, _ stores: Stores
    ) async throws -> ViewWriteReport {
        let snapshot = try? dependencies.snapshots.current()
        if let groups = dependencies.pushGroups, let known = snapshot?.projects[projectName],
            let report = try await groups.write(request, in: known.project)
        {
            return report
        }
        let project = try await stores.project(named: projectName, in: snapshot)
        var request = request
        request.schemaVersion = try project.requiredVersion(request.schemaVersion, ofView: request.view)
        return try await WriteViewRows(stores: stores).run(request, in: project)
    }
}
