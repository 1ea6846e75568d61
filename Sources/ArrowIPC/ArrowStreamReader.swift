public import FeatureModel

/// Reads record batches from Arrow IPC bytes as they arrive.
///
/// Takes the streaming format, and the file format from its first byte on: the messages of most files lie in the order
/// of a stream, and the footer is checked against them. A file that does not start with a message is held until its
/// end and then read through its footer. Little-endian, uncompressed, metadata version 5 (and 4).
///
/// Feed bytes, take the batches that became complete, call `finish` once the input has ended and take what is left:
/// input without its end marker was cut. Batches are decoded as they are taken, so that a few bytes that stand for many
/// large ones never have them in memory at once.
public struct ArrowStreamReader: Sendable {
    private enum Phase {
        /// Too few bytes to tell a stream from a file.
        case start
        case messages
        /// After a file's last message.
        case footer
        /// Keeps a file whose messages only its footer finds.
        case heldFile
        /// After the end of such a file: the record batches still to be decoded.
        case blocks(ArraySlice<ArrowFileFooter.Block>)
        case end
        case failed(LarderError)
    }

    private let limits: ArrowLimits
    private let options: ArrowReadOptions
    private var phase = Phase.start
    private var isFile = false
    /// Received and not yet decoded, from `head` on.
    private var pending: [UInt8] = []
    private var head = 0
    /// How many bytes from `head` on the message there takes, once that is known.
    private var awaited = 0
    private var schema: [ArrowField]?
    private var dictionaries: [Int64: Column] = [:]
    /// Decoded and not yet taken.
    private var ready: [RecordBatch] = []
    private var batchCount = 0
    private var rowCount = 0

    /// The columns, once their schema has arrived.
    public private(set) var fields: [Field]?
    /// The names of the columns of which the schema does not say what type their values would have: those of Arrow's type
    /// Null, which have none, and lists of it.
    public private(set) var untypedColumns: Set<String> = []

    public init(limits: ArrowLimits = .default, options: ArrowReadOptions = .init()) {
        self.limits = limits
        self.options = options
    }

    /// Takes the next bytes of the input and decodes the messages they complete, up to a record batch.
    ///
    /// - Throws: `file_malformed`, `column_type`, `limit_exceeded` or `too_many_rows`; the reader then stays failed.
    public mutating func feed(_ bytes: some Collection<UInt8>) throws(LarderError) {
        if case .failed(let error) = phase { throw error }
        makeRoom()
        pending.append(contentsOf: bytes)
        try attempt { reader throws(LarderError) in
            if case .blocks = reader.phase, reader.available > 0 {
                throw .malformedArrow("bytes follow the end of the file")
            }
            while reader.ready.isEmpty, try reader.step() {}
        }
    }

    /// The next batch; nil when more bytes are needed or, after `finish`, when there are no more.
    ///
    /// - Throws: as `feed`.
    public mutating func nextBatch() throws(LarderError) -> RecordBatch? {
        if ready.isEmpty {
            if case .failed(let error) = phase { throw error }
            try attempt { reader throws(LarderError) in
                while reader.ready.isEmpty, try reader.step() {}
            }
        }
        return ready.isEmpty ? nil : ready.removeFirst()
    }

    /// Says that the input has ended. Decodes what was not taken before.
    ///
    /// - Throws: as `feed`, and when the input ended before its end marker, so that something may be missing.
    public mutating func finish() throws(LarderError) {
        if case .failed(let error) = phase { throw error }
        try attempt { reader throws(LarderError) in try reader.end() }
    }

    private mutating func end() throws(LarderError) {
        if case .messages = phase { while try step() {} }
        switch phase {
        case .failed, .end, .blocks: return
        case .footer:
            try checkFooter()
            phase = .end
            pending = []
            head = 0
        case .heldFile: try openHeldFile()
        case .start where pending.isEmpty:
            throw .malformedArrow("it is empty", hint: "write at least the schema and the end marker")
        case .start, .messages:
            throw .malformedArrow(
                "it ends before its end marker, after \(rowCount) rows",
                hint: "the writer stopped midway or was not closed; get the data again")
        }
    }

    /// Drops what was decoded, and makes room for the message that is on its way.
    private mutating func makeRoom() {
        if head == pending.count {
            pending.removeAll(keepingCapacity: true)
            head = 0
        } else if head > pending.count / 2 {
            pending.removeSubrange(..<head)
            head = 0
        }
        // Not more than a peer may have that states much and sends little.
        let room = head + min(awaited, limits.maximumUnbackedBytes)
        if pending.capacity < room { pending.reserveCapacity(room) }
    }

    /// Does work after whose failure the reader stays failed.
    private mutating func attempt(_ work: (inout Self) throws(LarderError) -> Void) throws(LarderError) {
        do {
            try work(&self)
        } catch {
            phase = .failed(error)
            pending = []
            throw error
        }
    }

    private var available: Int { pending.count - head }

    /// Does the next piece of work for which enough bytes are there.
    /// - Returns: false when more bytes are needed.
    private mutating func step() throws(LarderError) -> Bool {
        switch phase {
        case .start: return try recognize()
        case .messages: return try takeMessage()
        case .footer:
            guard available <= limits.maximumMetadataBytes else { throw .arrowLimit("the file's footer") }
            return false
        case .heldFile:
            guard available <= limits.maximumHeldFileBytes else {
                throw .arrowLimit(
                    "a file without a message at its start has more than \(limits.maximumHeldFileBytes) bytes",
                    hint: "write it as an Arrow stream")
            }
            return false
        case .end:
            guard available == 0 else { throw .malformedArrow("bytes follow the end marker") }
            return false
        case .blocks: return try decodeNextBlock()
        case .failed(let error): throw error
        }
    }

    private mutating func recognize() throws(LarderError) -> Bool {
        guard available >= 8 else { return false }
        if pending[head..<head + 6].elementsEqual(ArrowFile.magic) {
            guard available >= 12 else { return false }
            guard pending[head + 8..<head + 12].elementsEqual(ArrowFile.continuation) else {
                phase = .heldFile
                return true
            }
            isFile = true
            head += 8
        } else if Array(pending[head..<head + 4]) != ArrowFile.continuation {
            let isParquet = pending[head...].starts(with: "PAR1".utf8)
            throw LarderError(
                .fileMalformed,
                "the input is not Arrow IPC: it "
                    + (isParquet ? "is a Parquet file" : "starts with neither a stream's nor a file's marker"),
                hint: "write it with pyarrow.ipc.new_stream or new_file, without compression around it")
        }
        phase = .messages
        return true
    }

    private mutating func takeMessage() throws(LarderError) -> Bool {
        guard available >= awaited else { return false }
        guard available >= 8 else {
            // A file may go from its last message straight to its footer.
            if isFile, schema != nil, available >= 4, Array(pending[head..<head + 4]) != ArrowFile.continuation {
                phase = .footer
                return true
            }
            return false
        }
        guard Array(pending[head..<head + 4]) == ArrowFile.continuation else {
            guard isFile, schema != nil else { throw .malformedArrow("a message does not start with its marker") }
            phase = .footer
            return true
        }
        let length = Int(littleEndianInt32: pending[head + 4..<head + 8])
        if length == 0 {
            guard schema != nil else { throw .malformedArrow("it ends before its schema") }
            head += 8
            phase = isFile ? .footer : .end
            return true
        }
        guard length > 0 else { throw .malformedArrow("a message has a negative length") }
        guard length <= limits.maximumMetadataBytes else {
            throw .arrowLimit("a message's metadata of \(length) bytes")
        }
        awaited = 8 + length
        guard available >= awaited else { return false }
        let message = try FlatBufferTable(root: Array(pending[head + 8..<head + 8 + length]))
        let bodyLength = try message.integer(3, default: 0 as Int64)
        guard bodyLength >= 0 else { throw .malformedArrow("a message has a body of negative length") }
        guard bodyLength <= Int64(limits.maximumBodyBytes) else {
            throw .arrowLimit("a message's body of \(bodyLength) bytes", hint: "write smaller record batches")
        }
        awaited += Int(bodyLength)
        guard available >= awaited else { return false }
        try decode(message, body: head + 8 + length..<head + awaited)
        head += awaited
        awaited = 0
        return true
    }

    private mutating func decode(_ message: FlatBufferTable, body: Range<Int>) throws(LarderError) {
        let version = try message.integer(0, default: 0 as Int16)
        guard version == MetadataVersion.v5 || version == MetadataVersion.v4 else {
            throw .malformedArrow(
                "it has metadata version V\(Int(version) + 1)", hint: "write it with Arrow 1.0 or later (metadata V5)")
        }
        guard let header = try message.table(2) else { throw .malformedArrow("a message has no header") }
        switch (try message.integer(1, default: 0 as UInt8), schema) {
        case (MessageHeader.schema, nil):
            try decodeSchema(header)
        case (MessageHeader.schema, _):
            throw .malformedArrow("it has a second schema")
        case (MessageHeader.dictionaryBatch, let schema?):
            try decodeDictionary(header, schema: schema, body: body)
        case (MessageHeader.recordBatch, let schema?):
            try checkRowCount(with: header)
            let columns = try decodeColumns(header, fields: schema, body: body)
            ready.append(RecordBatch(fields: fields ?? [], columns: columns.columns, rowCount: columns.rowCount))
            batchCount += 1
            rowCount += columns.rowCount
        case (_, nil):
            throw .malformedArrow("it does not start with a schema")
        case (let type, _):
            throw .malformedArrow("it has a message of type \(type)", hint: "send record batches, not tensors")
        }
    }

    /// Before the batch is decoded, because a few bytes may stand for many rows.
    private func checkRowCount(with batch: FlatBufferTable) throws(LarderError) {
        let rows = try batch.integer(0, default: 0 as Int64)
        guard rows <= Int64(limits.maximumTotalRows - rowCount) else { throw .tooManyRows(limits.maximumTotalRows) }
    }

    private mutating func decodeSchema(_ header: FlatBufferTable) throws(LarderError) {
        var decoder = SchemaDecoder(limits: limits, options: options)
        let decoded = try decoder.decode(header)
        schema = decoded
        fields = decoded.map(\.field)
        untypedColumns = Set(decoded.filter { $0.type.isUntyped }.map(\.name))
    }

    private func decodeColumns(
        _ header: FlatBufferTable, fields: [ArrowField], body: Range<Int>
    ) throws(LarderError) -> (columns: [Column], rowCount: Int) {
        let body = try BatchBody(header, storage: pending, body: body, limits: limits)
        var decoder = ColumnDecoder(body: body, dictionaries: dictionaries, options: options, rowsBefore: rowCount)
        return (try decoder.decode(fields), body.rowCount)
    }

    private mutating func decodeDictionary(
        _ header: FlatBufferTable, schema: [ArrowField], body: Range<Int>
    ) throws(LarderError) {
        let id = try header.integer(0, default: 0 as Int64)
        guard let data = try header.table(1), let values = schema.lazy.compactMap({ $0.dictionaryValues(id) }).first
        else { throw .malformedArrow("it has a dictionary that no column uses") }
        let decoded = try decodeColumns(data, fields: [values], body: body)
        guard let column = decoded.columns.first else { return }
        if try header.bool(2) {
            guard var whole = dictionaries.removeValue(forKey: id) else {
                throw .malformedArrow("it extends a dictionary that it has not sent")
            }
            try checkDictionaries(and: whole.storedBytes + column.storedBytes)
            whole.append(contentsOf: column)
            dictionaries[id] = whole
        } else {
            let replaced = dictionaries.removeValue(forKey: id)
            if case .heldFile = phase, replaced != nil {
                throw .malformedArrow("it replaces a dictionary, which only a stream may do")
            }
            try checkDictionaries(and: column.storedBytes)
            dictionaries[id] = column
        }
    }

    /// Dictionaries are kept from batch to batch, so that the limit of one batch does not bound them.
    private func checkDictionaries(and bytes: Int) throws(LarderError) {
        guard dictionaries.values.reduce(bytes, { $0 + $1.storedBytes }) <= limits.maximumDecodedBytes else {
            throw .arrowLimit(
                "its dictionaries take more than \(limits.maximumDecodedBytes) bytes decoded",
                hint: "write plain columns instead of dictionary-encoded ones")
        }
    }

    private func checkFooter() throws(LarderError) {
        let stated = try ArrowFileFooter(pending[head...], limits: limits).recordBatchCount
        guard stated == batchCount else {
            throw .malformedArrow("the file's footer lists \(stated) record batches, the file holds \(batchCount)")
        }
    }

    /// Reads the schema and the dictionaries of a held file, which may lie anywhere in it.
    private mutating func openHeldFile() throws(LarderError) {
        let footer = try ArrowFileFooter(pending[...], limits: limits)
        try decodeSchema(try footer.schema())
        let blocks = try footer.blocks(limits: limits)
        for block in blocks.dictionaries {
            try decode(try block.message(in: pending, type: MessageHeader.dictionaryBatch), body: block.body)
        }
        phase = .blocks(blocks.recordBatches[...])
    }

    /// - Returns: false when there are no more.
    private mutating func decodeNextBlock() throws(LarderError) -> Bool {
        guard case .blocks(var blocks) = phase, let block = blocks.popFirst() else { return false }
        phase = .blocks(blocks)
        try decode(try block.message(in: pending, type: MessageHeader.recordBatch), body: block.body)
        return true
    }
}

extension ArrowField {
    /// The field as which the dictionary `id` is decoded, when this column or its elements use it.
    fileprivate func dictionaryValues(_ id: Int64) -> ArrowField? {
        if let dictionary, dictionary.id == id {
            return ArrowField(name: name, isNullable: true, type: type, dictionary: nil, valueType: valueType)
        }
        switch type {
        case .list(let child, _), .fixedSizeList(let child, _): return child.dictionaryValues(id)
        default: return nil
        }
    }
}
