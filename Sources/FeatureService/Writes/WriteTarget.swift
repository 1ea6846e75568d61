/// What rows are written into: a source or a feature view.
public struct WriteTarget: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case source
        case featureView = "feature_view"
    }

    public let kind: Kind
    public let name: String

    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    public static func source(_ name: String) -> WriteTarget { WriteTarget(.source, name) }

    public static func featureView(_ name: String) -> WriteTarget { WriteTarget(.featureView, name) }

    /// As messages say it: `source "weather"`.
    public var description: String {
        switch kind {
        case .source: "source \"\(name)\""
        case .featureView: "feature view \"\(name)\""
        }
    }

    /// What messages call a part of a row.
    var fieldWord: String {
        switch kind {
        case .source: "column"
        case .featureView: "field"
        }
    }
}
