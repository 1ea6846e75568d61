import FeatureModel
import FeatureService

/// All routes with what they need.
struct API: Sendable {
    let configuration: ServerConfiguration
    let dependencies: ServerDependencies

    var routes: [Route] {
        onlineRoutes + registryRoutes + writeRoutes + definitionRoutes + trainingSetRoutes + materializationRoutes
            + jobRoutes + feastRoutes + feastWriteRoutes + operationsRoutes
    }

    func project(named name: String) throws -> ServedProject {
        try dependencies.snapshots.current().project(named: name)
    }

    /// - Throws: `registry_unavailable` from a server that only reads.
    func stores() throws(LarderError) -> Stores {
        if let stores = dependencies.stores { return stores }
        throw LarderError(.registryUnavailable, "this server only reads")
    }

    /// With a writer's pool of their own: training sets hold connections for as long as their clients take them.
    func trainingStores() throws(LarderError) -> Stores {
        if let stores = dependencies.trainingStores { return stores }
        return try stores()
    }
}
