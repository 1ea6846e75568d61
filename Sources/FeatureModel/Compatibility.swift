/// What changes of a schema the registry accepts without a new generation.
///
/// `backward`: the new version reads rows of the old one. `forward`: the old version reads rows of the new one. `full`:
/// both. Plain modes compare with the latest version, transitive ones with all that are not retired.
public enum Compatibility: String, Sendable, Hashable, Codable, CaseIterable {
    case backward
    case backwardTransitive = "backward_transitive"
    case forward
    case forwardTransitive = "forward_transitive"
    case full
    case fullTransitive = "full_transitive"
    case none

    /// Whether a new version is compared with every version that is not retired, and not only with the latest.
    public var isTransitive: Bool {
        switch self {
        case .backwardTransitive, .forwardTransitive, .fullTransitive: true
        case .backward, .forward, .full, .none: false
        }
    }

    /// Whether the new version must be able to read rows of the old one.
    public var asksBackward: Bool {
        switch self {
        case .backward, .backwardTransitive, .full, .fullTransitive: true
        case .forward, .forwardTransitive, .none: false
        }
    }

    /// Whether the old version must be able to read rows of the new one.
    public var asksForward: Bool {
        switch self {
        case .forward, .forwardTransitive, .full, .fullTransitive: true
        case .backward, .backwardTransitive, .none: false
        }
    }
}
