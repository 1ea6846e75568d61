public import Jobs
import TextFormats

/// The output of a job that succeeded.
public struct JobDownload: Sendable {
    public let job: Job
    public let byteCount: Int64
    public let pieces: JobPieces.Stream

    /// What the job's result says its output is.
    public var contentType: String {
        let type = text("content_type") ?? ""
        let isHeaderValue = !type.isEmpty && type.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        return isHeaderValue ? type : "application/octet-stream"
    }

    /// The name the result gives to the output, without what is not safe in a header or a folder.
    public var fileName: String? {
        guard let name = text("file_name") else { return nil }
        let safe = String(
            name.split(separator: "/").last?.map { character in
                let isSafe = character.isASCII && (character.isLetter || character.isNumber)
                return isSafe || "._-".contains(character) ? character : "_"
            } ?? [])
        return safe.isEmpty || safe.allSatisfy { $0 == "." } ? nil : safe
    }

    private func text(_ member: String) -> String? {
        guard let result = job.result, case .string(let text) = (try? JSONValue.parse(Array(result.utf8)))?[member]
        else { return nil }
        return text
    }
}
