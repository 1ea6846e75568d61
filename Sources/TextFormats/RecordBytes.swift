/// The bytes of some records as they came, each without what ends its line.
public struct RecordBytes: Sendable, Equatable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    init() {}

    public var count: Int { ends.count }

    public subscript(row: Int) -> ArraySlice<UInt8> {
        bytes[(row == 0 ? 0 : ends[row - 1])..<ends[row]]
    }

    mutating func append(_ record: some Collection<UInt8>) {
        bytes.append(contentsOf: record)
        ends.append(bytes.count)
    }
}

extension ArraySlice<UInt8> {
    /// A record without the LF or CRLF that ends it.
    var withoutLineEnd: ArraySlice<UInt8> {
        guard last == UInt8(ascii: "\n") else { return self }
        let line = dropLast()
        return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}
