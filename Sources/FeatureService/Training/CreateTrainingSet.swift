public import FeatureDefinitions
public import FeatureModel

/// Makes a training set out of files, into a file.
public struct CreateTrainingSet: Sendable {
    public struct Request: Sendable {
        public var trainingSet: TrainingSetRequest
        public var spine: Spine
        /// `-` is standard output.
        public var outputPath: String
        public var outputFormat: FrameFormat

        public init(trainingSet: TrainingSetRequest, spine: Spine, outputPath: String, outputFormat: FrameFormat) {
            self.trainingSet = trainingSet
            self.spine = spine
            self.outputPath = outputPath
            self.outputFormat = outputFormat
        }
    }

    public enum Spine: Sendable {
        /// A path, or `-` for standard input.
        case file(path: String, FrameFormat)
        case sql(String)
        /// Every change between two times, both included; of some entities, or of all.
        case changes(from: Timestamp, through: Timestamp, keys: EntityKeys? = nil)
    }

    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// - Parameter progress: told the number of rows that are done.
    /// - Throws: `LarderError`; the output file is as it was then.
    public func run(
        _ request: Request, in project: RegisteredProject, progress: @Sendable (Int) -> Void = { _ in }
    ) async throws -> TrainingSetReport {
        if case .file(let path, _) = request.spine, path != "-", path == request.outputPath {
            throw LarderError(
                .usage, "the training set would replace its own spine \"\(path)\"", hint: "choose another --out")
        }
        let spine = try request.spine.opened()
        var output = try ByteOutput(path: request.outputPath)
        let report = try await MakeTrainingSet(stores: stores).run(
            request.trainingSet, spine: spine, in: project, format: request.outputFormat,
            write: { try output.write($0) }, progress: progress)
        try output.finish()
        return report
    }
}

extension CreateTrainingSet.Spine {
    /// - Throws: `file_unreadable`.
    func opened() throws(LarderError) -> SpineSource {
        switch self {
        case .file(let path, let format): .input(try SpineInput(path: path), format)
        case .sql(let sql): .sql(sql)
        case .changes(let start, let end, let keys): .changes(from: start, through: end, keys: keys)
        }
    }
}
