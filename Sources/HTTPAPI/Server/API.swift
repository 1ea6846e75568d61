import FeatureService

/// All routes with what they need.
struct API: Sendable {
    let configuration: ServerConfiguration
    let dependencies: ServerDependencies

    var routes: [Route] {
        onlineRoutes + registryRoutes + feastRoutes + operationsRoutes
    }

    func project(named name: String) throws -> ServedProject {
        try dependencies.snapshots.current().project(named: name)
    }
}
