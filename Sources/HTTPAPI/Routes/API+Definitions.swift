import FeatureService
import HTTPTypes
import Hummingbird

extension API {
    var definitionRoutes: [Route] {
        [
            Route(.post, "/v1/projects/{project}/plan", plan),
            Route(.post, "/v1/projects/{project}/apply", apply),
        ]
    }

    /// A plan that refuses is an answer like any other; refusals are in it.
    @Sendable
    private func plan(_ request: Request, _ context: APIContext) async throws -> Response {
        let definitions = try await definitions(request, context)
        return .json(try await ApplyDefinitions(stores: try stores()).planDocument(definitions))
    }

    @Sendable
    private func apply(_ request: Request, _ context: APIContext) async throws -> Response {
        let definitions = try await definitions(request, context)
        return .json(try await ApplyDefinitions(stores: try stores()).appliedDocument(definitions))
    }

    private func definitions(_ request: Request, _ context: APIContext) async throws -> DefinitionRequest {
        try request.requireJSONBody()
        try request.requireJSONIsAcceptable()
        let json = try await request.json(maximumBytes: configuration.limits.maximumBodyBytes)
        return try DefinitionRequest(json: json, project: context.parameters.require("project"))
    }
}
