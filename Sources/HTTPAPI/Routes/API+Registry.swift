import FeatureService
import HTTPTypes
import Hummingbird

extension API {
    var registryRoutes: [Route] {
        ServedProject.Collection.allCases.flatMap { collection in
            [
                Route(.get, "/v1/projects/{project}/\(collection.rawValue)") { _, context in
                    let project = try project(named: context.parameters.require("project"))
                    return .json(project.list(collection))
                },
                Route(.get, "/v1/projects/{project}/\(collection.rawValue)/{name}") { _, context in
                    let project = try project(named: context.parameters.require("project"))
                    return .json(try project.describe(collection, named: context.parameters.require("name")))
                },
            ]
        }
    }
}
