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
        return Column(type: type, nulls: count)
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
            ? body.values(buffer, count: rows + 1, of: Int64.self) { Int($0) }
            : body.values(buffer, count: rows + 1, of: Int32.self) { Int($0) }
        guard offsets.areAscendingFromZero else {
            throw .malformedArrow("the offsets of column \"\(name)\" do not ascend")
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
        var rows: [Int] = try takeIntegers(
            bitWidth: encoding.indexBitWidth, isSigned: encoding.isSigned, count: validity.count, name)
        let entries = UInt(dictionary.count)
        // What a null row holds does not matter.
        if let row = rows.indices.first(where: { UInt(bitPattern: rows[$0]) >= entries && validity[$0] }) {
            throw .malformedArrow("column \"\(name)\", \(place(row)): no such entry in its dictionary")
        }
        rows.clearNulls(validity, to: -1)
        try charge(rows, of: dictionary)
        return dictionary.gathered(rows)
    }

    /// Charges what rows of a dictionary take, before they are copied: one entry may be wanted by many.
    private mutating func charge(_ rows: [Int], of dictionary: Column) throws(LarderError) {
        switch dictionary.type {
        case .scalar(.string), .scalar(.bytes):
            try body.charge(rows.count, size: 8)
            for row in rows where row >= 0 { try body.charge(1, size: dictionary.byteRun(row).count) }
        case .scalar: try body.charge(rows.count, size: 8)
        case .vector(let dimension): try body.charge(rows.count, size: dimension * 4)
        case .array:
            try body.charge(rows.count, size: 8)
            for row in rows where row >= 0 {
                let elements = dictionary.elementRange(row)
                try body.charge(elements.count, size: 8)
                if !dictionary.byteOffsets.isEmpty {
                    let end = dictionary.byteOffsets[elements.upperBound]
                    try body.charge(1, size: end - dictionary.byteOffsets[elements.lowerBound])
                }
            }
        }
    }

    /// Integers of any width as those of an element that is no narrower, or wrapped to it: a UInt64 above `Int64.max`
    /// shows as a negative number.
    mutating func takeIntegers<Element: FixedWidthInteger & BitwiseCopyable>(
        bitWidth: Int, isSigned: Bool, count: Int, _ name: String
    ) throws(LarderError) -> [Element] {
        switch (bitWidth, isSigned) {
        case (8, true): try body.takeValues(name, count: count, of: Int8.self) { Element(truncatingIfNeeded: $0) }
        case (8, false): try body.takeValues(name, count: count, of: UInt8.self) { Element(truncatingIfNeeded: $0) }
        case (16, true): try body.takeValues(name, count: count, of: Int16.self) { Element(truncatingIfNeeded: $0) }
        case (16, false): try body.takeValues(name, count: count, of: UInt16.self) { Element(truncatingIfNeeded: $0) }
        case (32, true): try body.takeValues(name, count: count, of: Int32.self) { Element(truncatingIfNeeded: $0) }
        case (32, false): try body.takeValues(name, count: count, of: UInt32.self) { Element(truncatingIfNeeded: $0) }
        default: try body.takeValues(name, count: count, of: Int64.self) { Element(truncatingIfNeeded: $0) }
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

extension [Int] {
    /// Without a branch for each, because nearly always they do.
    fileprivate var areAscendingFromZero: Bool {
        var previous = 0
        var descents = 0
        for offset in self {
            descents += offset < previous ? 1 : 0
            previous = offset
        }
        return descents == 0
    }
}
