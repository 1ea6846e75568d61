import FeatureModel
import FeatureService

/// All routes with what they need.
struct API: Sendable {
    let configuration: ServerConfiguration
    let dependencies: ServerDependencies

    var routes: [Route] {
        onlineRoutes + registryRoutes + writeRoutes + definitionRoutes + trainingSetRoutes + jobRoutes
            + feastRoutes + operationsRoutes
    }

    func project(named name: String) throws -> ServedProject {
        try dependencies.snapshots.current().project(named: name)
    }

    /// - Throws: `registry_unavailable` from a server that only reads.
    func stores() throws(LarderError) -> Stores {
        if let stores = dependencies.stores { return stores }
        throw LarderError(.registryUnavailable, "this server only reads")
    }
}
