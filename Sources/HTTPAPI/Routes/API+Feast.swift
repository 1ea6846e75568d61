import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird
import TextFormats

/// The paths of Feast's feature server.
extension API {
    var feastRoutes: [Route] {
        [
            Route(.post, "/get-online-features", feastOnlineFeatures),
            Route(.get, "/health", feastHealth),
        ]
    }

    /// Members that Feast's clients send and that change nothing here.
    private static let ignoredMembers = [
        "include_feature_view_version_metadata", "query_embedding", "query_string", "api_version", "top_k",
    ]

    @Sendable
    private func feastOnlineFeatures(_ request: Request, _ context: APIContext) async throws -> Response {
        let project = try feastProject()
        // Feast's own clients say nothing of the body's type, or something wrong.
        let json = try await request.json(maximumBytes: configuration.limits.maximumBodyBytes)
        let response = try await dependencies.onlineFeatures.read(
            project, try OnlineRequest(json: json, ignoring: Self.ignoredMembers), now: configuration.clock.now)
        let withVersions = json["include_feature_view_version_metadata"] == .bool(true)
        return .json(OnlineResponseWriter(dialect: .feast(withVersions: withVersions)).json(response))
    }

    @Sendable
    private func feastHealth(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try dependencies.snapshots.current()
        return .json(.object([.init("status", .string("ok"))]))
    }

    private func feastProject() throws(LarderError) -> ServedProject {
        let snapshot = try dependencies.snapshots.current()
        if let name = configuration.feastProject { return try snapshot.project(named: name) }
        if snapshot.projects.count == 1, let only = snapshot.projects.values.first { return only }
        throw LarderError(
            .projectNotFound,
            snapshot.projects.isEmpty ? "there is no project" : "there are \(snapshot.projects.count) projects",
            hint: "set feast.project to the one that Feast's paths mean")
    }
}
