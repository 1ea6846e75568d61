public import FeatureModel

/// How rows are written in a file.
public enum FrameFormat: String, Sendable, CaseIterable {
    case csv
    case ndjson
    /// Arrow IPC, file format.
    case arrow
    /// Arrow IPC, streaming format.
    case arrows

    /// By the file's extension; `-` and unknown extensions need the format named.
    /// - Throws: `LarderError` `usage`.
    public init(path: String, explicit: FrameFormat?) throws(LarderError) {
        if let explicit {
            self = explicit
            return
        }
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."),
            let format = FrameFormat(rawValue: String(name[name.index(after: dot)...]))
        else {
            throw LarderError(
                .usage, "the format of \"\(path)\" does not follow from its name",
                hint: "name the file .csv, .ndjson, .arrow or .arrows, or say --format")
        }
        self = format
    }
}
