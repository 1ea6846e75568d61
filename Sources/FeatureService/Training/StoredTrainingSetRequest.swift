import FeatureModel
import Foundation

/// A training set's features and options as they are stored with it.
struct StoredTrainingSetRequest: Codable {
    var service: String?
    var features: [String]?
    var timestampColumn: String
    var usesFullFeatureNames: Bool
    var includesTimestamps: Bool
    var knownBy: String
    /// In microseconds; nil for a view that is given no ttl.
    var ttl: [String: Int64?]
    var split: TrainingSetSplit?
    /// Of a training set without a spine; nil for one with.
    var changes: StoredChanges?

    private enum CodingKeys: String, CodingKey {
        case service, features, ttl, split, changes
        case timestampColumn = "timestamp_column"
        case usesFullFeatureNames = "full_feature_names"
        case includesTimestamps = "include_timestamps"
        case knownBy = "known_by"
    }

    init(_ request: TrainingSetRequest, changes: StoredChanges?) {
        self.changes = changes
        switch request.features {
        case .service(let name): service = name
        case .references(let references): features = references
        }
        timestampColumn = request.options.timestampColumn
        usesFullFeatureNames = request.options.usesFullFeatureNames
        includesTimestamps = request.options.includesTimestamps
        knownBy = request.options.knownBy.rawValue
        ttl = request.options.ttlOfView
        split = request.options.split
    }

    func request(asOf: Timestamp, resources: TrainingSetResources) -> TrainingSetRequest {
        var options = TrainingSetOptions()
        options.timestampColumn = timestampColumn
        options.usesFullFeatureNames = usesFullFeatureNames
        options.includesTimestamps = includesTimestamps
        options.knownBy = TrainingSetOptions.KnownByOption(rawValue: knownBy) ?? .eventTime
        options.asOf = asOf
        options.ttlOfView = ttl
        options.split = split
        return TrainingSetRequest(
            features: service.map { .service($0) } ?? .references(features ?? []), options: options,
            resources: resources)
    }

    func text() throws(LarderError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(self), as: UTF8.self) } catch {
            throw LarderError(.internalError, "the options of a training set cannot be written: \(error)")
        }
    }

    init(text: String) throws(LarderError) {
        do { self = try JSONDecoder().decode(Self.self, from: Data(text.utf8)) } catch {
            throw LarderError(.internalError, "the options of a training set cannot be read: \(error)")
        }
    }
}
