import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird

extension API {
    var onlineRoutes: [Route] {
        [Route(.post, OnlinePath.larderPath, onlineFeatures)]
    }

    @Sendable
    private func onlineFeatures(_ request: Request, _ context: APIContext) async throws -> Response {
        try request.requireJSONBody()
        let format = try request.onlineAnswerFormat()
        let project = try project(named: context.parameters.require("project"))
        let json = try await request.json(maximumBytes: configuration.limits.maximumBodyBytes)
        let response = try await dependencies.onlineFeatures.read(
            project, try OnlineRequest(json: json), now: configuration.clock.now)
        return .online(response, format, .larder)
    }
}
