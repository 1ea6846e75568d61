import FeatureModel

/// Reads a Schema message into the columns that a batch will have.
struct SchemaDecoder {
    let limits: ArrowLimits
    let options: ArrowReadOptions
    /// Fields seen so far, children included.
    private var fieldCount = 0
    /// Bytes of their names. In a flatbuffer many names may share the same bytes.
    private var nameBytes = 0
    /// Room for the most columns with names as long as PostgreSQL's and then some.
    private static let maximumNameBytes = 1 << 20

    init(limits: ArrowLimits, options: ArrowReadOptions) {
        self.limits = limits
        self.options = options
    }

    mutating func decode(_ schema: FlatBufferTable) throws(LarderError) -> [ArrowField] {
        guard try schema.integer(0, default: 0 as Int16) == 0 else {
            throw LarderError(
                .fileMalformed, "Arrow data is big-endian",
                hint: "write it on, or convert it for, a little-endian machine")
        }
        var fields: [ArrowField] = []
        var names: Set<[UInt8]> = []
        for table in try schema.tables(1, limit: limits.maximumColumns) {
            let field = try decodeField(table, column: nil)
            guard names.insert(Array(field.name.utf8)).inserted else {
                throw LarderError(
                    .fileMalformed, "Arrow schema has two columns named \"\(field.name)\"", hint: "rename one of them")
            }
            fields.append(field)
        }
        return fields
    }

    /// - Parameter column: the column that a child belongs to; nil for a column itself.
    private mutating func decodeField(_ table: FlatBufferTable, column: String?) throws(LarderError) -> ArrowField {
        fieldCount += 1
        guard fieldCount <= limits.maximumColumns else {
            throw .arrowLimit("it has more than \(limits.maximumColumns) columns")
        }
        let name = try table.string(0, limit: Self.maximumNameBytes - nameBytes) ?? ""
        nameBytes += name.utf8.count
        let type = try decodeType(table, column: column ?? name, isChild: column != nil)
        var dictionary: DictionaryEncoding?
        if let encoding = try table.table(4) {
            dictionary = try decodeDictionary(encoding, column: column ?? name)
        }
        return ArrowField(
            name: name, isNullable: try table.bool(1), type: type, dictionary: dictionary,
            valueType: try valueType(of: type, column: column ?? name))
    }

    private func decodeDictionary(
        _ encoding: FlatBufferTable, column: String
    ) throws(LarderError) -> DictionaryEncoding {
        var bitWidth = 32
        var isSigned = true
        if let index = try encoding.table(1) {
            bitWidth = Int(try index.integer(0, default: 0 as Int32))
            isSigned = try index.bool(1)
        }
        guard [8, 16, 32, 64].contains(bitWidth) else {
            throw .malformedArrow("column \"\(column)\" has dictionary indices of \(bitWidth) bits")
        }
        return DictionaryEncoding(
            id: try encoding.integer(0, default: 0), indexBitWidth: bitWidth, isSigned: isSigned)
    }

    private mutating func decodeType(
        _ field: FlatBufferTable, column: String, isChild: Bool
    ) throws(LarderError) -> ArrowType {
        let tag = try field.integer(2, default: 0 as UInt8)
        guard let type = try field.table(3) else {
            throw .malformedArrow("column \"\(column)\" has no type")
        }
        switch tag {
        case TypeTag.null: return .null
        case TypeTag.bool: return .bool
        case TypeTag.binary: return .bytes(isText: false, isLarge: false)
        case TypeTag.utf8: return .bytes(isText: true, isLarge: false)
        case TypeTag.largeBinary: return .bytes(isText: false, isLarge: true)
        case TypeTag.largeUtf8: return .bytes(isText: true, isLarge: true)
        case TypeTag.binaryView: return .byteView(isText: false)
        case TypeTag.utf8View: return .byteView(isText: true)
        case TypeTag.int: return try decodeInt(type, column: column)
        case TypeTag.floatingPoint: return try decodeFloat(type, column: column)
        case TypeTag.date:
            return try type.integer(0, default: 1 as Int16) == 0 ? .dateDay : .dateMillisecond
        case TypeTag.timestamp:
            guard let unit = TimestampUnit(rawValue: try type.integer(0, default: 0)) else {
                throw .malformedArrow("column \"\(column)\" has a timestamp unit that does not exist")
            }
            return .timestamp(unit)
        case TypeTag.fixedSizeBinary:
            return .fixedSizeBinary(byteWidth: try size(type, of: "FixedSizeBinary", column: column))
        case TypeTag.list where !isChild:
            return .list(try child(of: field, column: column), isLarge: false)
        case TypeTag.largeList where !isChild:
            return .list(try child(of: field, column: column), isLarge: true)
        case TypeTag.fixedSizeList where !isChild:
            let size = try size(type, of: "FixedSizeList", column: column)
            return .fixedSizeList(try child(of: field, column: column), size: size)
        default:
            throw Self.unsupported(tag: tag, column: column, isChild: isChild)
        }
    }

    private func decodeInt(_ type: FlatBufferTable, column: String) throws(LarderError) -> ArrowType {
        let bitWidth = Int(try type.integer(0, default: 0 as Int32))
        guard [8, 16, 32, 64].contains(bitWidth) else {
            throw .malformedArrow("column \"\(column)\" has integers of \(bitWidth) bits")
        }
        return .int(bitWidth: bitWidth, isSigned: try type.bool(1))
    }

    private func decodeFloat(_ type: FlatBufferTable, column: String) throws(LarderError) -> ArrowType {
        switch try type.integer(0, default: 0 as Int16) {
        case 0: return .float16
        case 1: return .float32
        case 2: return .float64
        default: throw .malformedArrow("column \"\(column)\" has a float precision that does not exist")
        }
    }

    private func size(_ type: FlatBufferTable, of name: String, column: String) throws(LarderError) -> Int {
        let size = try type.integer(0, default: 0 as Int32)
        guard size >= 0 else { throw .malformedArrow("column \"\(column)\" is a \(name) of negative size") }
        return Int(size)
    }

    private mutating func child(of field: FlatBufferTable, column: String) throws(LarderError) -> ArrowField {
        let children = try field.tables(5, limit: limits.maximumColumns)
        guard children.count == 1, let only = children.first else {
            throw .malformedArrow("list column \"\(column)\" has \(children.count) children instead of one")
        }
        return try decodeField(only, column: column)
    }

    private static func unsupported(tag: UInt8, column: String, isChild: Bool) -> LarderError {
        let name = Int(tag) < TypeTag.names.count ? TypeTag.names[Int(tag)] : "type \(tag)"
        let hint =
            switch name {
            case "Decimal": "cast it to float64, or to int64 or string to keep every digit"
            case "Struct", "Map", "Union": "give each member a column of its own"
            case "Time", "Duration", "Interval": "cast it to int64, or make it a timestamp"
            case "RunEndEncoded", "ListView", "LargeListView": "cast it to the plain type before writing"
            default: isChild ? "lists have one dimension; flatten the inner list" : "cast it to one of the types read"
            }
        let what = isChild ? "is a list of Arrow type \(name)" : "has Arrow type \(name)"
        return LarderError(.columnType, "column \"\(column)\" \(what), which is not read", hint: hint)
    }

    private func valueType(of type: ArrowType, column: String) throws(LarderError) -> ValueType {
        switch type {
        case .null: options.nullColumnType
        case .int(let bitWidth, let isSigned): bitWidth < 32 || (bitWidth == 32 && isSigned) ? .int32 : .int64
        case .float16, .float32: .float32
        case .float64: .float64
        case .bool: .bool
        case .bytes(let isText, _), .byteView(let isText): isText ? .string : .bytes
        case .fixedSizeBinary: .bytes
        case .dateDay, .dateMillisecond: .date
        case .timestamp: .timestamp
        case .list(let child, _): try arrayType(of: child, column: column)
        case .fixedSizeList(let child, let size):
            if child.valueType == .float32, (1...ValueType.maximumVectorDimension).contains(size) {
                .vector(dimension: size)
            } else {
                try arrayType(of: child, column: column)
            }
        }
    }

    private func arrayType(of child: ArrowField, column: String) throws(LarderError) -> ValueType {
        guard case .scalar(let element) = child.valueType else {
            throw LarderError(
                .columnType, "column \"\(column)\" is a list of \(child.valueType), which is not read",
                hint: "lists have one dimension; flatten the inner list")
        }
        return .array(element)
    }
}
