/// What a tree of definitions may hold. Each bound is far above any tree written by hand and low enough that
/// no tree, however hostile, costs more than a moment and a few megabytes.
public enum DefinitionLimits {
    /// Bytes of one file.
    public static let maximumFileBytes = 1_048_576
    /// Bytes of all files of a tree.
    public static let maximumTreeBytes = 16_777_216
    /// Files of a tree.
    public static let maximumFiles = 4_096
    /// Scalars, sequences and mappings of one file, aliases written out.
    public static let maximumNodesPerFile = 100_000
    /// Sequences and mappings inside one another; the language itself needs five.
    public static let maximumDepth = 32
    /// Aliases (`*name`) of one file.
    public static let maximumAliasesPerFile = 16
    /// Bytes of one file with its aliases written out, at worst. Composition hashes keys that way, before any node
    /// can be counted.
    public static let maximumExpandedBytes = 16_777_216
    /// Columns of one source and features of one view; PostgreSQL ends at 1,600 columns a table.
    public static let maximumColumns = 1_000
    /// Join keys of one entity, and of all entities of one view.
    public static let maximumJoinKeys = 16
    /// References of one feature service.
    public static let maximumServiceReferences = 1_000
    /// Days of an `availability_lag`. Added to any time that a row arrives at, PostgreSQL still holds the sum.
    public static let maximumLagDays: Int64 = 36_500
    /// Values of one `one_of`.
    public static let maximumOneOfValues = 1_000
    /// Bytes of a description, an owner, a tag or its value.
    public static let maximumTextBytes = 4_096
    /// Tags of one view.
    public static let maximumTags = 64
    /// Mistakes reported at once.
    public static let maximumReportedMistakes = 1_000
}
