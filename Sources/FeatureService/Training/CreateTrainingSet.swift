public import FeatureDefinitions
import FeatureModel
import OfflineStore
import PointInTime
import PostgresClient

/// Joins a spine with the features that were right at each row's time, and writes the frame.
public struct CreateTrainingSet: Sendable {
    /// Which features are wanted.
    public enum Features: Sendable {
        case service(String)
        /// `view:feature`, `view@2:feature`, `view:*`.
        case references([String])
    }

    public struct Request: Sendable {
        public var features: Features
        /// `-` is standard input.
        public var spinePath: String
        public var spineFormat: FrameFormat
        /// `-` is standard output.
        public var outputPath: String
        public var outputFormat: FrameFormat
        public var options: TrainingSetOptions

        public init(
            features: Features, spinePath: String, spineFormat: FrameFormat, outputPath: String,
            outputFormat: FrameFormat, options: TrainingSetOptions = TrainingSetOptions()
        ) {
            self.features = features
            self.spinePath = spinePath
            self.spineFormat = spineFormat
            self.outputPath = outputPath
            self.outputFormat = outputFormat
            self.options = options
        }
    }

    /// How many spine rows each view had an answer for.
    public struct ViewSummary: Sendable, Equatable {
        /// The view's name, or its alias.
        public let name: String
        public let found: Int
        public let notFound: Int
        public let outsideMaxAge: Int
        public let invalidKey: Int
    }

    public struct Result: Sendable, Equatable {
        public let rowCount: Int
        public let columns: [String]
        public let views: [ViewSummary]
    }

    /// Rows written at a time.
    private static let rowsPerBatch = 32_768

    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// - Parameter progress: told a view's name when its join is done.
    /// - Throws: `LarderError`; the output file is as it was then.
    public func run(
        _ request: Request, in project: RegisteredProject, progress: @Sendable (String) -> Void = { _ in }
    ) async throws -> Result {
        guard request.outputPath == "-" || request.outputPath != request.spinePath else {
            throw LarderError(
                .usage, "the training set would replace its own spine \"\(request.spinePath)\"",
                hint: "choose another --out")
        }
        let selection =
            switch request.features {
            case .service(let name):
                try FeatureSelection.resolve(service: project.featureService(named: name), in: project)
            case .references(let references):
                try FeatureSelection.resolve(references: references, in: project)
            }
        let spine = try Spine(
            path: request.spinePath, format: request.spineFormat, requestKeys: selection.requestKeys,
            options: request.options, keepsText: request.outputFormat == .csv)
        let frame = try TrainingFrame(selection: selection, spine: spine, options: request.options)
        var output = try ByteOutput(path: request.outputPath)
        let joins = try await join(selection, spine, request.options, progress: progress)
        var writer = FrameWriter(format: request.outputFormat, fields: frame.fields)
        try output.write(writer.begin())
        for start in stride(from: 0, to: spine.rowCount, by: Self.rowsPerBatch) {
            try Task.checkCancellation()
            let rows = start..<min(spine.rowCount, start + Self.rowsPerBatch)
            try output.write(writer.write(frame.batch(rows, of: spine, joins)))
        }
        try output.write(writer.end())
        try output.finish()
        return Result(
            rowCount: spine.rowCount, columns: frame.fields.map(\.name),
            views: zip(selection.views, joins).map { ViewSummary(name: $0.outputName, result: $1) })
    }

    /// Every view's join, all from one snapshot of the offline store.
    private func join(
        _ selection: FeatureSelection, _ spine: Spine, _ options: TrainingSetOptions,
        progress: @Sendable (String) -> Void
    ) async throws -> [AsOfResult] {
        try await stores.writer.withConnection { connection in
            try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
                var indexes: [[String]: SpineIndex] = [:]
                var results: [AsOfResult] = []
                for view in selection.views {
                    let names = view.requestKeys.map(\.name)
                    let index = try indexes[names] ?? Self.index(spine, view)
                    indexes[names] = index
                    results.append(
                        try await ViewJoin(selection: view, knownBy: options.knownBy).run(over: index, on: connection))
                    progress(view.outputName)
                }
                return results
            }
        }
    }

    /// The spine by the keys of a view, which it may know under other names.
    private static func index(_ spine: Spine, _ view: ViewSelection) throws(LarderError) -> SpineIndex {
        var keys: [JoinKey] = []
        var columns: [Column] = []
        for (key, requested) in zip(view.schema.joinKeys, view.requestKeys) {
            let column = try spine.keyColumn(requested)
            keys.append(JoinKey(name: key.name, type: column.type))
            columns.append(column)
        }
        return try SpineIndex(joinKeys: keys, keyColumns: columns, timestamps: spine.timestamps)
    }
}

extension ViewSelection {
    var outputName: String { alias ?? view.name }
}

extension CreateTrainingSet.ViewSummary {
    fileprivate init(name: String, result: AsOfResult) {
        var counts: [AsOfStatus: Int] = [:]
        for status in result.statusOfRow { counts[status, default: 0] += 1 }
        self.init(
            name: name, found: counts[.found] ?? 0, notFound: counts[.notFound] ?? 0,
            outsideMaxAge: counts[.outsideMaxAge] ?? 0, invalidKey: counts[.invalidKey] ?? 0)
    }
}
