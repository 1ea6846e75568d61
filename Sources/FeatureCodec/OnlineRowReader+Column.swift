public import FeatureModel

extension OnlineRowReader {
    /// Appends the feature to a column of its declared type, a null as a null.
    public func append(_ feature: Int, in body: RawSpan, to column: inout Column) {
        guard !isNull(feature, in: body) else { return column.appendNull() }
        switch layout.schema.features[feature].type {
        case .scalar(.bool): column.append(bool: bool(feature, in: body))
        case .scalar(.int32), .scalar(.date): column.append(int32: int32(feature, in: body))
        case .scalar(.int64), .scalar(.timestamp): column.append(int64: int64(feature, in: body))
        case .scalar(.float32): column.append(float32: float32(feature, in: body))
        case .scalar(.float64): column.append(float64: float64(feature, in: body))
        case .scalar(.string), .scalar(.bytes):
            withBytes(feature, in: body) { run in
                unsafe run.withUnsafeBytes { unsafe column.append(bytes: $0) }
            }
        case .array(let element):
            withBytes(feature, in: body) { run in
                column.appendList { Self.appendElements(of: element, run: run, to: &$0) }
            }
        case .vector:
            withBytes(feature, in: body) { run in
                column.appendList { Self.appendElements(of: .float32, run: run, to: &$0) }
            }
        }
    }

    /// The feature as a single value, for tests and tools; bulk goes through `append(_:in:to:)`.
    public func value(_ feature: Int, in body: RawSpan) -> Value {
        var column = Column(type: layout.schema.features[feature].type)
        append(feature, in: body, to: &column)
        return column[0]
    }

    private static func appendElements(of element: ScalarType, run: RawSpan, to column: inout Column) {
        guard let width = OnlineRowLayout.fixedWidth(of: element) else {
            return appendByteRuns(run, to: &column)
        }
        for offset in stride(from: 0, to: run.byteCount, by: width) {
            switch element {
            case .bool: column.appendElement(bool: ByteOrder.byte(of: run, at: offset) != 0)
            case .int32, .date:
                column.appendElement(int32: ByteOrder.loadLittleEndian(Int32.self, from: run, at: offset))
            case .int64, .timestamp:
                column.appendElement(int64: ByteOrder.loadLittleEndian(Int64.self, from: run, at: offset))
            case .float32:
                let bits = ByteOrder.loadLittleEndian(UInt32.self, from: run, at: offset)
                column.appendElement(float32: Float(bitPattern: bits))
            case .float64:
                let bits = ByteOrder.loadLittleEndian(UInt64.self, from: run, at: offset)
                column.appendElement(float64: Double(bitPattern: bits))
            case .string, .bytes: break
            }
        }
    }

    private static func appendByteRuns(_ run: RawSpan, to column: inout Column) {
        let count = Int(ByteOrder.loadLittleEndian(UInt32.self, from: run, at: 0))
        let elementsStart = 4 + 4 * count
        var start = elementsStart
        for index in 0..<count {
            let end = elementsStart + Int(ByteOrder.loadLittleEndian(UInt32.self, from: run, at: 4 + 4 * index))
            let element = run.extracting(start..<end)
            unsafe element.withUnsafeBytes { unsafe column.appendElement(bytes: $0) }
            start = end
        }
    }
}
