import FeatureModel
import Foundation

/// A training set as a job is asked for it.
struct TrainingSetJobPayload: Codable {
    var request: StoredTrainingSetRequest
    var name: String?
    /// Microseconds since 1970.
    var asOf: Int64?
    var timeZone: String?
    var nullSpelling: String?
    /// Of the bytes that are made.
    var format: String
    var contentType: String
    /// Of the job's input; nil where the spine is a query or none.
    var spineFormat: String?
    var spineSQL: String?

    private enum CodingKeys: String, CodingKey {
        case request, name, format
        case asOf = "as_of"
        case timeZone = "timezone"
        case nullSpelling = "null"
        case contentType = "content_type"
        case spineFormat = "spine_format"
        case spineSQL = "spine_sql"
    }

    func trainingSet(_ resources: TrainingSetResources) -> TrainingSetRequest {
        var trainingSet = request.request(
            asOf: Timestamp(microsecondsSince1970: asOf ?? 0), resources: resources)
        if asOf == nil { trainingSet.options.asOf = nil }
        trainingSet.options.timeZone = timeZone
        trainingSet.options.nullSpelling = nullSpelling
        trainingSet.name = name
        return trainingSet
    }

    func text() throws(LarderError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(self), as: UTF8.self) } catch {
            throw LarderError(.internalError, "a job's payload cannot be written: \(error)")
        }
    }

    static func read(_ text: String) throws(LarderError) -> TrainingSetJobPayload {
        do { return try JSONDecoder().decode(Self.self, from: Data(text.utf8)) } catch {
            throw LarderError(.internalError, "a job's payload cannot be read: \(error)")
        }
    }
}
