public import FeatureModel

/// Where the rows of a spine come from.
public enum SpineSource {
    case input(SpineInput, FrameFormat)
    /// A query that the source login runs, of the join keys, a `timestamptz` column and columns of the caller's.
    case sql(String)
    /// No spine: every change of the views between two times, both included, is a row; of some entities, or of all.
    case changes(from: Timestamp, through: Timestamp, keys: EntityKeys? = nil)
}
