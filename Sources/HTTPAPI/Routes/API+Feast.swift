import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird
import TextFormats

/// The paths of Feast's feature server that only read.
extension API {
    var feastRoutes: [Route] {
        [
            Route(.post, OnlinePath.feastPath, feastOnlineFeatures),
            Route(.get, "/health", feastHealth),
        ]
    }

    private static let versionsMember = "include_feature_view_version_metadata"

    /// Members that Feast's clients send and that change nothing of what is read.
    static let ignoredFeastMembers = [versionsMember, "query_embedding", "query_string", "api_version", "top_k"]

    @Sendable
    private func feastOnlineFeatures(_ request: Request, _ context: APIContext) async throws -> Response {
        let project = try feastProject()
        // Feast's own clients say nothing of the body's type, or something wrong.
        let json = try await request.json(maximumBytes: configuration.limits.maximumBodyBytes)
        let online = try OnlineRequest(
            json: json, besides: [Self.versionsMember], ignoring: Self.ignoredFeastMembers)
        let response = try await dependencies.onlineFeatures.read(project, online, now: configuration.clock.now)
        let withVersions = json[Self.versionsMember] == .bool(true)
        let format = try request.onlineAnswerFormat()
        return .online(response, format, .feast(withVersions: withVersions))
    }

    @Sendable
    private func feastHealth(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try dependencies.snapshots.current()
        return .json(.object([.init("status", .string("ok"))]))
    }

    func feastProject() throws(LarderError) -> ServedProject {
        try Self.feastProject(configuration, try dependencies.snapshots.current())
    }

    static func feastProject(
        _ configuration: ServerConfiguration, _ snapshot: ServingSnapshot
    ) throws(LarderError) -> ServedProject {
        if let name = configuration.feastProject { return try snapshot.project(named: name) }
        if snapshot.projects.count == 1, let only = snapshot.projects.values.first { return only }
        throw LarderError(
            .projectNotFound,
            snapshot.projects.isEmpty ? "there is no project" : "there are \(snapshot.projects.count) projects",
            hint: "set feast.project to the one that Feast's paths mean")
    }
}
