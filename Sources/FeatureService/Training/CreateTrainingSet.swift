public import FeatureDefinitions
import FeatureModel
import OfflineStore

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
        public var resources: TrainingSetResources

        public init(
            features: Features, spinePath: String, spineFormat: FrameFormat, outputPath: String,
            outputFormat: FrameFormat, options: TrainingSetOptions = TrainingSetOptions(),
            resources: TrainingSetResources = TrainingSetResources()
        ) {
            self.features = features
            self.spinePath = spinePath
            self.spineFormat = spineFormat
            self.outputPath = outputPath
            self.outputFormat = outputFormat
            self.options = options
            self.resources = resources
        }
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
        guard request.outputPath == "-" || request.outputPath != request.spinePath else {
            throw LarderError(
                .usage, "the training set would replace its own spine \"\(request.spinePath)\"",
                hint: "choose another --out")
        }
        let plan = try TrainingSetPlan(
            FeatureSelection.resolve(request.features, in: project), options: request.options)
        let input = try SpineInput(path: request.spinePath)
        var output = try ByteOutput(path: request.outputPath)
        var writer: FrameWriter?
        let run = TrainingSetRun(plan: plan, resources: request.resources)
        let report = try await SharedSnapshot.with(
            connections: request.resources.connections, of: stores.writer
        ) { connections in
            try await run.run(
                input, format: request.spineFormat, keepsText: request.outputFormat == .csv, on: connections,
                begin: { fields in
                    var first = FrameWriter(format: request.outputFormat, fields: fields)
                    try output.write(first.begin())
                    writer = first
                },
                sink: { batches in
                    for batch in batches { if let bytes = writer?.write(batch) { try output.write(bytes) } }
                }, progress: progress)
        }
        if let bytes = writer?.end() { try output.write(bytes) }
        try output.finish()
        return report
    }
}

extension FeatureSelection {
    static func resolve(
        _ features: CreateTrainingSet.Features, in project: RegisteredProject
    ) throws(LarderError) -> FeatureSelection {
        switch features {
        case .service(let name): try resolve(service: project.featureService(named: name), in: project)
        case .references(let references): try resolve(references: references, in: project)
        }
    }
}
