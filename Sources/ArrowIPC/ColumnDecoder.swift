import FeatureModel

/// Turns the body of a RecordBatch message into columns.
struct ColumnDecoder {
    var body: BatchBody
    let dictionaries: [Int64: Column]
    let options: ArrowReadOptions
    /// Rows of earlier batches, so that messages count from the start of the input.
    let rowsBefore: Int

    mutating func decode(_ fields: [ArrowField]) throws(LarderError) -> [Column] {
        var columns: [Column] = []
        for field in fields {
            let column = try decode(field, column: field.name)
            guard column.count == body.rowCount else {
                throw .malformedArrow(
                    "column \"\(field.name)\" has \(column.count) of the record batch's \(body.rowCount) rows")
            }
            columns.append(column)
        }
        try body.finish()
        return columns
    }

    /// The position in the input, from 1, of a row of this batch.
    func place(_ row: Int) -> String { "row \(rowsBefore + row + 1)" }

    private mutating func decode(_ field: ArrowField, column name: String) throws(LarderError) -> Column {
        let node = try body.takeNode(name)
        if case .null = field.type, field.dictionary == nil { return try nulls(field.valueType, count: node.rows) }
        let validity = try body.takeValidity(node, name)
        if let dictionary = field.dictionary {
            return try lookUp(dictionary, type: field.valueType, validity: validity, name)
        }
        switch field.type {
        case .null: throw .malformedArrow("column \"\(name)\" looks nulls up in a dictionary")
        case .bool: return try bools(validity, name)
        case .int(let bitWidth, let isSigned):
            return try integers(bitWidth: bitWidth, isSigned: isSigned, validity: validity, name)
        case .float16, .float32, .float64: return try floats(field.type, validity: validity, name)
        case .timestamp(let unit): return try timestamps(unit, validity: validity, name)
        case .dateDay, .dateMillisecond: return try dates(field.type, validity: validity, name)
        case .bytes(let isText, let isLarge):
            return try byteRuns(isText: isText, isLarge: isLarge, validity: validity, name)
        case .byteView(let isText): return try byteViews(isText: isText, validity: validity, name)
        case .fixedSizeBinary(let width): return try fixedSizeBinary(width: width, validity: validity, name)
        case .list(let child, let isLarge):
            let offsets = try takeOffsets(rows: validity.count, isLarge: isLarge, name)
            let elements = try decode(child, column: name)
            return try array(elements, offsets: offsets, validity: validity, name)
        case .fixedSizeList(let child, let size):
            let elements = try decode(child, column: name)
            return try fixedSizeList(
                elements, size: size, type: field.valueType, validity: validity, name)
        }
    }

    private mutating func nulls(_ type: ValueType, count: Int) throws(LarderError) -> Column {
        let width = if case .vector(let dimension) = type { dimension * 4 } else { 8 }
        try body.charge(count, size: width)
        var column = Column(type: type)
        for _ in 0..<count { column.appendNull() }
        return column
    }

    /// Offsets of a variable-width column: ascending, from wherever the first one is.
    mutating func takeOffsets(rows: Int, isLarge: Bool, _ name: String) throws(LarderError) -> [Int] {
        let buffer = try body.takeBuffer(name)
        if rows == 0 { return [0] }
        let size = isLarge ? 8 : 4
        guard buffer.count >= (rows + 1) * size else {
            throw .malformedArrow("the offsets of column \"\(name)\" are shorter than its rows")
        }
        try body.charge(rows + 1, size: 8)
        let offsets =
            isLarge
            ? body.values(buffer, count: rows + 1, of: Int64.self).map { Int($0) }
            : body.values(buffer, count: rows + 1, of: Int32.self).map { Int($0) }
        var previous = 0
        for offset in offsets {
            guard offset >= previous else { throw .malformedArrow("the offsets of column \"\(name)\" do not ascend") }
            previous = offset
        }
        return offsets
    }

    private mutating func lookUp(
        _ encoding: DictionaryEncoding, type: ValueType, validity: Validity, _ name: String
    ) throws(LarderError) -> Column {
        guard let dictionary = dictionaries[encoding.id] else {
            throw .malformedArrow("column \"\(name)\" comes before its dictionary")
        }
        guard dictionary.type == type else {
            throw .malformedArrow("columns of different types share the dictionary of column \"\(name)\"")
        }
        var rows = try takeIntegers(
            bitWidth: encoding.indexBitWidth, isSigned: encoding.isSigned, count: validity.count, name)
        for row in rows.indices {
            if !validity[row] {
                rows[row] = -1
            } else if rows[row] < 0 || rows[row] >= Int64(dictionary.count) {
                throw .malformedArrow("column \"\(name)\", \(place(row)): no such entry in its dictionary")
            }
        }
        for row in rows { try body.charge(1, size: dictionary.storedSize(row < 0 ? nil : Int(row))) }
        return dictionary.gathered(rows.lazy.map { Int($0) })
    }

    /// Integers of any width as 64 bits.
    /// - Throws: when an unsigned one is beyond `Int64.max`; what null rows hold is not looked at by callers, so
    ///   it wraps.
    mutating func takeIntegers(
        bitWidth: Int, isSigned: Bool, count: Int, _ name: String
    ) throws(LarderError) -> [Int64] {
        try body.charge(count, size: 8)
        switch (bitWidth, isSigned) {
        case (8, true): return try body.takeValues(name, count: count, of: Int8.self).map { Int64($0) }
        case (8, false): return try body.takeValues(name, count: count, of: UInt8.self).map { Int64($0) }
        case (16, true): return try body.takeValues(name, count: count, of: Int16.self).map { Int64($0) }
        case (16, false): return try body.takeValues(name, count: count, of: UInt16.self).map { Int64($0) }
        case (32, true): return try body.takeValues(name, count: count, of: Int32.self).map { Int64($0) }
        case (32, false): return try body.takeValues(name, count: count, of: UInt32.self).map { Int64($0) }
        // A UInt64 above Int64.max shows as a negative number.
        default: return try body.takeValues(name, count: count, of: Int64.self)
        }
    }

    func adopt(
        _ name: String, _ column: () throws(Column.StorageError) -> Column
    ) throws(LarderError) -> Column {
        do {
            return try column()
        } catch {
            throw .malformedArrow("the buffers of column \"\(name)\" do not fit its rows")
        }
    }
}

extension Column {
    /// Bytes that a row of the column takes, roughly; those of a null when there is no row.
    fileprivate func storedSize(_ row: Int?) -> Int {
        switch (type, row) {
        case (.vector(let dimension), _): dimension * 4
        case (.scalar(.string), let row?), (.scalar(.bytes), let row?): 8 + byteOffsets[row + 1] - byteOffsets[row]
        case (.array(.string), let row?), (.array(.bytes), let row?):
            8 + elementRange(row).count * 8 + byteOffsets[listOffsets[row + 1]] - byteOffsets[listOffsets[row]]
        case (.array, let row?): 8 + elementRange(row).count * 8
        default: 8
        }
    }
}
