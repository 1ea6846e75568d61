public import FeatureCodec
public import FeatureDefinitions
public import FeatureModel
import OnlineStore
public import Registry
import Synchronization

/// Everything a server knows about what it serves: immutable, made from one reading of the registry, replaced as a whole.
public final class ServingSnapshot: Sendable {
    /// By name.
    public let projects: [String: ServedProject]

    public init(projects: [ServedProject]) {
        self.projects = Dictionary(projects.map { ($0.project.name, $0) }) { first, _ in first }
    }

    /// - Throws: `project_not_found` with the nearest name.
    public func project(named name: String) throws(LarderError) -> ServedProject {
        if let project = projects[name] { return project }
        let names = projects.keys.sorted()
        let hint: String
        if let nearest = NameRule.nearest(to: name, in: names) {
            hint = "did you mean \"\(nearest)\"?"
        } else if names.isEmpty {
            hint = "apply definitions first: larder apply DIR"
        } else {
            hint = "projects: \(names.prefix(20).joined(separator: ", "))"
        }
        throw LarderError(.projectNotFound, "there is no project \"\(name.prefix(63))\"", hint: hint)
    }
}

/// One revision of a project with where its features are online.
public final class ServedProject: Sendable {
    /// One physical home of a view.
    public struct GenerationID: Sendable, Hashable {
        public let featureViewID: Int64
        public let generation: Int32

        public init(featureViewID: Int64, generation: Int32) {
            self.featureViewID = featureViewID
            self.generation = generation
        }
    }

    public let project: RegisteredProject
    public let installation: InstallationID
    /// The key spaces whose first publication is complete.
    public let keySpaces: [GenerationID: Int64]
    /// Views that were published before PostgreSQL was promoted or restored, and not since: what Redis has of them may be
    /// ahead of PostgreSQL, and is not read.
    public let viewsLeftBehind: [String]
    /// What the online store must show; nil before the first publication.
    public let onlineState: OnlineStoreState?

    /// Requests repeat: their plans are made once.
    private let plans = Mutex(BoundedCache<PlanKey, ServingPlan>())

    private struct PlanKey: Hashable {
        let features: OnlineRequest.Features
        let usesFullFeatureNames: Bool
    }

    /// - Parameter leftBehind: generations of any project that were published under another incarnation of the database
    ///   only.
    public init(
        project: RegisteredProject, installation: InstallationID, keySpaces: [GenerationID: Int64],
        leftBehind: Set<GenerationID> = [], onlineState: OnlineStoreState?
    ) {
        self.project = project
        self.installation = installation
        self.keySpaces = keySpaces
        self.onlineState = onlineState
        viewsLeftBehind = project.featureViews.filter { view in
            !view.isRemoved && view.isOnline
                && view.generations.contains { generation in
                    generation.state == .live
                        && leftBehind.contains(
                            GenerationID(featureViewID: view.id, generation: generation.number))
                }
        }.map(\.name)
    }

    /// A read of the project's online data; nil before the first publication.
    func readPlan(_ selections: [OnlineSelection]) -> OnlineReadPlan? {
        onlineState.map { state in
            OnlineReadPlan(
                selections: selections, installation: installation, project: project.id,
                onlineIncarnation: state.onlineIncarnation, revision: project.revision)
        }
    }

    /// How a request's features are read.
    /// - Throws: as `ServingPlan.init`.
    func plan(for features: OnlineRequest.Features, usesFullFeatureNames: Bool) throws(LarderError) -> ServingPlan {
        let key = PlanKey(features: features, usesFullFeatureNames: usesFullFeatureNames)
        if let plan = plans.withLock({ $0[key] }) { return plan }
        let plan = try ServingPlan(features, usesFullFeatureNames: usesFullFeatureNames, in: self)
        plans.withLock { $0.insert(plan, for: key, features: plan.outputNames.count) }
        return plan
    }
}
