import FeatureDefinitions
import FeatureModel
import FeatureService
import HTTPTypes
import Hummingbird
import Jobs
import TextFormats

extension API {
    var trainingSetRoutes: [Route] {
        [
            Route(.post, "/v1/projects/{project}/training-sets", createTrainingSet),
            Route(.get, "/v1/projects/{project}/training-sets") { _, context in
                let stores = try stores()
                let project = try await stores.project(named: context.parameters.require("project"))
                let sets = try await SavedTrainingSets(stores: stores).list(in: project)
                return .json(
                    .object([
                        .init("project", .string(project.name)),
                        .init("training_sets", .array(sets.map { $0.document(isWhole: false) })),
                    ]))
            },
            Route(.get, "/v1/projects/{project}/training-sets/{name}") { _, context in
                let stores = try stores()
                let project = try await stores.project(named: context.parameters.require("project"))
                let set = try await SavedTrainingSets(stores: stores).trainingSet(
                    named: context.parameters.require("name"), in: project)
                return .json(set.document(isWhole: true))
            },
            Route(.delete, "/v1/projects/{project}/training-sets/{name}") { _, context in
                let stores = try stores()
                let project = try await stores.project(named: context.parameters.require("project"))
                try await SavedTrainingSets(stores: stores).delete(
                    named: context.parameters.require("name"), in: project)
                return Response(status: .noContent)
            },
            Route(.post, "/v1/projects/{project}/training-sets/{name}/reproduce", reproduceTrainingSet),
        ]
    }

    @Sendable
    private func createTrainingSet(_ request: Request, _ context: APIContext) async throws -> Response {
        let query = try TrainingSetQuery(request)
        let body = try query.body
        let answer = try query.answer
        let trainingSet = try query.trainingSet(configuration.trainingSets)
        let stores = try stores()
        let project = try await stores.project(named: context.parameters.require("project"))
        let limit = configuration.limits.maximumBodyBytes
        let json: JSONValue? = if case .json = body { try await request.json(maximumBytes: limit) } else { nil }
        if try query.isJob {
            let spine: SpineSource =
                if let json { try SpineSource(json: json) } else { try await request.receivedSpine(of: body) }
            let job = try await TrainingSetJobs(stores: stores).enqueue(
                trainingSet, spine: spine, format: answer.format, contentType: answer.type, in: project)
            return .json(job.document, status: .accepted)
        }
        let training = try trainingStores()
        let frames = FrameStream(logger: context.logger) { frames in
            // Two calls, because a spine of a request's body stays with the task that reads it.
            if let json {
                _ = try await MakeTrainingSet(stores: training).run(
                    trainingSet, spine: try SpineSource(json: json), in: project, format: answer.format,
                    write: { try await frames.put($0) })
                return
            }
            _ = try await MakeTrainingSet(stores: training).run(
                trainingSet, spine: try await request.receivedSpine(of: body), in: project, format: answer.format,
                write: { try await frames.put($0) })
        }
        frames.watch(context.channel)
        try await frames.waitForFirstPiece()
        return Response(status: .ok, headers: [.contentType: answer.type], body: frames.body)
    }

    @Sendable
    private func reproduceTrainingSet(_ request: Request, _ context: APIContext) async throws -> Response {
        let answer = try TrainingSetQuery(request, parameters: []).answer
        let stores = try stores()
        let name = try context.parameters.require("name")
        let project = try await stores.project(named: context.parameters.require("project"))
        let resources = configuration.trainingSets
        let saved = try await SavedTrainingSets(stores: stores).trainingSet(named: name, in: project)
        let training = try trainingStores()
        let frames = FrameStream(logger: context.logger) { frames in
            let made = try await SavedTrainingSets(stores: training).reproduce(
                named: name, in: project, format: answer.format, resources: resources,
                write: { try await frames.put($0) })
            // Cut off: what the client has is not what it asked for.
            guard made.isSame else {
                throw LarderError(.trainingSetDiffers, "training set \"\(name)\" came out different")
            }
        }
        frames.watch(context.channel)
        try await frames.waitForFirstPiece()
        return Response(
            status: .ok,
            headers: [.contentType: answer.type, .named("Larder-Content-SHA256"): saved.contentHash], body: frames.body)
    }
}

extension Request {
    /// The body as a spine, which is here to its end.
    /// - Throws: `CancellationError` when the client goes away before.
    fileprivate func receivedSpine(of kind: TrainingSetQuery.Body) async throws -> SpineSource {
        guard case .spine(let format) = kind else {
            throw LarderError(.internalError, "the body of a request is no spine")
        }
        var pieces = body.makeAsyncIterator()
        let input = SpineInput(name: "the request's body") {
            do {
                while let piece = try await pieces.next(isolation: #isolation) {
                    if piece.readableBytes > 0 { return Array(piece.readableBytesView) }
                }
                return []
            } catch {
                throw error is LarderError || error is HTTPError ? error : CancellationError()
            }
        }
        try await input.receive()
        return .input(input, format)
    }
}

extension SpineSource {
    private static let members = ["spine_sql", "start", "end", "entities"]

    /// Reads `{"spine_sql": ...}`, or `{"start": ..., "end": ...}` with or without `"entities": {"KEY": [VALUE, ...]}`.
    /// - Throws: `request_invalid`.
    fileprivate init(json: JSONValue) throws(LarderError) {
        let example = #"{"spine_sql": "SELECT ..."} or {"start": "2013-01-01T00:00:00Z", "end": "..."}"#
        let members = try RequestMembers(json, known: Self.members, example: example)
        let isRange = json["start"] != nil || json["end"] != nil || json["entities"] != nil
        if let sql = try members.string("spine_sql"), !isRange {
            self = .sql(sql)
            return
        }
        guard json["spine_sql"] == nil, let start = try members.string("start"), let end = try members.string("end")
        else {
            throw LarderError(
                .requestInvalid, "the request has to name one spine",
                hint: "write \(example)")
        }
        let from = try Self.time("start", start)
        let through = try Self.time("end", end)
        let keys: EntityKeys? = if let entities = json["entities"] { try EntityKeys(json: entities) } else { nil }
        self = .changes(from: from, through: through, keys: keys)
    }

    private static func time(_ name: String, _ text: String) throws(LarderError) -> Timestamp {
        if let time = Timestamp(text) { return time }
        throw LarderError(
            .requestInvalid, "\"\(name)\" is \"\(text.prefix(63))\", which is no time with an offset",
            hint: "write 2013-01-01T00:00:00Z")
    }
}
