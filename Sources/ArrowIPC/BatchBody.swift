import FeatureModel

/// The body of one message: nodes and buffers in the order that the columns take them, each checked when taken.
struct BatchBody {
    /// A column's length and null count, as the message states them.
    struct Node {
        let rows: Int
        let nullCount: Int
    }

    private let storage: [UInt8]
    private let body: Range<Int>
    private let nodes: [(first: Int64, second: Int64)]
    private let buffers: [(first: Int64, second: Int64)]
    private let variadicCounts: [Int64]
    private var nextNode = 0
    private var nextBuffer = 0
    private var nextVariadic = 0
    /// Bytes that may still be allocated for decoded columns.
    private var allowance: Int
    private let limits: ArrowLimits

    /// Rows of the batch.
    let rowCount: Int

    /// - Parameters:
    ///   - batch: a RecordBatch table.
    ///   - storage: the bytes received, of which `body` is the message's body.
    init(
        _ batch: FlatBufferTable, storage: [UInt8], body: Range<Int>, limits: ArrowLimits
    ) throws(LarderError) {
        guard try !batch.has(3) else {
            throw LarderError(
                .fileMalformed, "Arrow data is compressed, which is not read",
                hint: "write it uncompressed, e.g. pyarrow.ipc.IpcWriteOptions(compression=None) "
                    + "or compression=\"uncompressed\" for Feather files and in polars")
        }
        let rows = try batch.integer(0, default: 0 as Int64)
        guard rows >= 0 else { throw .malformedArrow("a record batch has a negative number of rows") }
        guard rows <= Int64(limits.maximumRows) else {
            throw .arrowLimit(
                "a record batch has \(rows) rows, more than \(limits.maximumRows)", hint: "write smaller record batches"
            )
        }
        rowCount = Int(rows)
        nodes = try batch.int64Pairs(1)
        buffers = try batch.int64Pairs(2)
        variadicCounts = try batch.int64s(4)
        self.storage = storage
        self.body = body
        self.limits = limits
        allowance = limits.decodedBytes(for: body.count)
    }

    mutating func takeNode(_ name: String) throws(LarderError) -> Node {
        guard nextNode < nodes.count else {
            throw .malformedArrow("a record batch has no node for column \"\(name)\"")
        }
        let (rows, nullCount) = nodes[nextNode]
        nextNode += 1
        guard rows >= 0, nullCount >= 0, nullCount <= rows, rows <= Int64(min(limits.maximumDecodedBytes, 1 << 40))
        else {
            throw .malformedArrow("column \"\(name)\" has \(rows) rows with \(nullCount) nulls")
        }
        return Node(rows: Int(rows), nullCount: Int(nullCount))
    }

    /// The next buffer, as a range of the received bytes of at least `minimum` bytes.
    mutating func takeBuffer(_ name: String, minimum: Int = 0) throws(LarderError) -> Range<Int> {
        guard nextBuffer < buffers.count else {
            throw .malformedArrow("a record batch has too few buffers for column \"\(name)\"")
        }
        let (offset, length) = buffers[nextBuffer]
        nextBuffer += 1
        guard offset >= 0, length >= 0, offset <= Int64(body.count), length <= Int64(body.count) - offset else {
            throw .malformedArrow("a buffer of column \"\(name)\" lies outside of the message")
        }
        guard length >= Int64(minimum) else {
            throw .malformedArrow(
                "a buffer of column \"\(name)\" has \(length) bytes where its rows need \(minimum)")
        }
        let start = body.lowerBound + Int(offset)
        return start..<start + Int(length)
    }

    /// The data buffers of a view column.
    mutating func takeVariadicBuffers(_ name: String) throws(LarderError) -> [Range<Int>] {
        guard nextVariadic < variadicCounts.count, variadicCounts[nextVariadic] >= 0,
            variadicCounts[nextVariadic] <= Int64(buffers.count - nextBuffer)
        else { throw .malformedArrow("view column \"\(name)\" states no valid number of buffers") }
        var taken: [Range<Int>] = []
        for _ in 0..<variadicCounts[nextVariadic] { taken.append(try takeBuffer(name)) }
        nextVariadic += 1
        return taken
    }

    mutating func takeValidity(_ node: Node, _ name: String) throws(LarderError) -> Validity {
        let buffer = try takeBuffer(name)
        // As the reference implementation does: where the node states no null, the bitmap is not looked at.
        if node.nullCount == 0 { return Validity(allValid: node.rows) }
        guard !buffer.isEmpty else { throw .malformedArrow("column \"\(name)\" has nulls and no validity bitmap") }
        guard buffer.count >= (node.rows + 7) / 8 else {
            throw .malformedArrow("the validity bitmap of column \"\(name)\" is shorter than its rows")
        }
        return Validity(count: node.rows, bits: storage[buffer])
    }

    /// Everything was taken: a batch with more nodes or buffers than its columns is not what its schema says.
    func finish() throws(LarderError) {
        guard nextNode == nodes.count, nextBuffer == buffers.count else {
            throw .malformedArrow("a record batch has more buffers than its schema has columns")
        }
    }

    /// Counts `elements * size` bytes of decoded data against the limit, before they are allocated.
    mutating func charge(_ elements: Int, size: Int) throws(LarderError) {
        let (bytes, overflow) = elements.multipliedReportingOverflow(by: size)
        guard !overflow, bytes <= allowance else {
            throw .arrowLimit(
                "a record batch takes more than \(limits.decodedBytes(for: body.count)) bytes decoded",
                hint: "write smaller record batches")
        }
        allowance -= bytes
    }

    /// The first `count` values of a buffer that is long enough, in one copy.
    func values<Element: BitwiseCopyable>(_ buffer: Range<Int>, count: Int, of type: Element.Type) -> [Element] {
        let size = count * MemoryLayout<Element>.stride
        precondition(size <= buffer.count, "buffer shorter than its values")
        return [Element](unsafeUninitializedCapacity: count) { target, initialized in
            withUnsafeBytes(of: buffer.prefix(size)) { UnsafeMutableRawBufferPointer(target).copyMemory(from: $0) }
            initialized = count
        }
    }

    /// The first `count` values of a buffer that is long enough, each turned into an element.
    @inline(__always)
    func values<Stored: BitwiseCopyable, Element: BitwiseCopyable>(
        _ buffer: Range<Int>, count: Int, of type: Stored.Type, as element: (Stored) -> Element
    ) -> [Element] {
        let stride = MemoryLayout<Stored>.stride
        precondition(count * stride <= buffer.count, "buffer shorter than its values")
        return [Element](unsafeUninitializedCapacity: count) { target, initialized in
            withUnsafeBytes(of: buffer) { source in
                for index in 0..<count {
                    target.initializeElement(
                        at: index, to: element(source.loadUnaligned(fromByteOffset: index * stride, as: Stored.self)))
                }
            }
            initialized = count
        }
    }

    /// The next buffer as `count` fixed-width values, charged.
    mutating func takeValues<Element: BitwiseCopyable>(
        _ name: String, count: Int, of type: Element.Type
    ) throws(LarderError) -> [Element] {
        let size = MemoryLayout<Element>.stride
        let buffer = try takeBuffer(name, minimum: count * size)
        try charge(count, size: size)
        return values(buffer, count: count, of: type)
    }

    /// The next buffer as `count` fixed-width values, each turned into an element; the elements are charged.
    @inline(__always)
    mutating func takeValues<Stored: BitwiseCopyable, Element: BitwiseCopyable>(
        _ name: String, count: Int, of type: Stored.Type, as element: (Stored) -> Element
    ) throws(LarderError) -> [Element] {
        let buffer = try takeBuffer(name, minimum: count * MemoryLayout<Stored>.stride)
        try charge(count, size: MemoryLayout<Element>.stride)
        return values(buffer, count: count, of: type, as: element)
    }

    /// Scattered runs of the received bytes, side by side.
    func bytes(of runs: [Range<Int>], count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
            storage.withUnsafeBytes { source in
                var rest = UnsafeMutableRawBufferPointer(target)[...]
                for run in runs where !run.isEmpty {
                    UnsafeMutableRawBufferPointer(rebasing: rest.prefix(run.count))
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[run]))
                    rest = rest.dropFirst(run.count)
                }
            }
            initialized = count
        }
    }

    /// - Parameter range: of the received bytes.
    func withUnsafeBytes<Result>(of range: Range<Int>, _ work: (UnsafeRawBufferPointer) -> Result) -> Result {
        storage.withUnsafeBytes { work(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}
