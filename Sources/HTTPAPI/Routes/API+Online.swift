import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird

extension API {
    var onlineRoutes: [Route] {
        [Route(.post, "/v1/projects/{project}/online-features", onlineFeatures)]
    }

    @Sendable
    private func onlineFeatures(_ request: Request, _ context: APIContext) async throws -> Response {
        try request.requireJSONBody()
        try request.requireJSONIsAcceptable()
        let project = try project(named: context.parameters.require("project"))
        let json = try await request.json(maximumBytes: configuration.limits.maximumBodyBytes)
        let response = try await dependencies.onlineFeatures.read(
            project, try OnlineRequest(json: json), now: configuration.clock.now)
        return .json(OnlineResponseWriter(dialect: .larder).json(response))
    }
}
