import FeatureModel

extension ColumnDecoder {
    /// Utf8, Binary and their large forms.
    mutating func byteRuns(
        isText: Bool, isLarge: Bool, validity: Validity, _ name: String
    ) throws(LarderError) -> Column {
        let offsets = try takeOffsets(rows: validity.count, isLarge: isLarge, name)
        let data = try body.takeBuffer(name)
        guard let first = offsets.first, let last = offsets.last, last <= data.count else {
            throw .malformedArrow("the offsets of column \"\(name)\" point past its data")
        }
        if validity.firstNull(where: { offsets[$0] != offsets[$0 + 1] }) != nil {
            return try byteRuns(
                isText: isText, validity: validity, name,
                runs: offsets.indices.dropLast().map {
                    data.lowerBound + offsets[$0]..<data.lowerBound + offsets[validity[$0] ? $0 + 1 : $0]
                })
        }
        try body.charge(last - first, size: 1)
        let bytes = body.values(
            data.lowerBound + first..<data.lowerBound + last, count: last - first, of: UInt8.self)
        return try byteColumn(
            isText: isText, validity: validity, offsets: first == 0 ? offsets : offsets.map { $0 - first },
            bytes: bytes, name)
    }

    /// Utf8View and BinaryView: 16 bytes a row, short values inside, long ones in one of several buffers.
    mutating func byteViews(isText: Bool, validity: Validity, _ name: String) throws(LarderError) -> Column {
        let count = validity.count
        let buffer = try body.takeBuffer(name, minimum: count * 16)
        try body.charge(count, size: 16)
        let views = body.values(buffer, count: count * 4, of: Int32.self)
        let data = try body.takeVariadicBuffers(name)
        var runs: [Range<Int>] = []
        runs.reserveCapacity(count)
        for row in 0..<count {
            let length = validity[row] ? Int(views[row * 4]) : 0
            if (0...12).contains(length) {
                let start = buffer.lowerBound + row * 16 + 4
                runs.append(start..<start + length)
                continue
            }
            let index = Int(views[row * 4 + 2])
            let offset = Int(views[row * 4 + 3])
            guard length > 0, data.indices.contains(index), offset >= 0, offset <= data[index].count - length else {
                throw .malformedArrow("column \"\(name)\", \(place(row)): its view points outside of the data")
            }
            let start = data[index].lowerBound + offset
            runs.append(start..<start + length)
        }
        return try byteRuns(isText: isText, validity: validity, name, runs: runs)
    }

    mutating func fixedSizeBinary(width: Int, validity: Validity, _ name: String) throws(LarderError) -> Column {
        let count = validity.count
        let (size, overflow) = count.multipliedReportingOverflow(by: width)
        guard !overflow else { throw .malformedArrow("column \"\(name)\" is wider than its buffer") }
        let buffer = try body.takeBuffer(name, minimum: size)
        try body.charge(count, size: 16)
        return try byteRuns(
            isText: false, validity: validity, name,
            runs: (0..<count).map { row in
                let start = buffer.lowerBound + row * width
                return start..<start + (validity[row] ? width : 0)
            })
    }

    /// A column of scattered runs of the received bytes, one a row.
    private mutating func byteRuns(
        isText: Bool, validity: Validity, _ name: String, runs: [Range<Int>]
    ) throws(LarderError) -> Column {
        var offsets = [0]
        offsets.reserveCapacity(runs.count + 1)
        var total = 0
        for run in runs {
            try body.charge(run.count, size: 1)
            total += run.count
            offsets.append(total)
        }
        try body.charge(runs.count + 1, size: 8)
        let bytes = body.bytes(of: runs, count: total)
        return try byteColumn(isText: isText, validity: validity, offsets: offsets, bytes: bytes, name)
    }

    private func byteColumn(
        isText: Bool, validity: Validity, offsets: [Int], bytes: [UInt8], _ name: String
    ) throws(LarderError) -> Column {
        if isText, let fault = TextCheck.firstFault(bytes, offsets: offsets) {
            let (code, problem, hint): (ErrorCode, String, String) =
                switch fault.kind {
                case .notUTF8: (.fileMalformed, "its bytes are not UTF-8", "cast the column to Binary, or re-encode it")
                case .nul: (.columnType, "the string holds a NUL character", "remove it, or make the column bytes")
                }
            throw LarderError(code, "column \"\(name)\", \(place(fault.row)): \(problem)", hint: hint)
        }
        return try adopt(name) { () throws(Column.StorageError) in
            try Column(
                type: isText ? .string : .bytes, validity: validity, byteOffsets: offsets, bytes: bytes)
        }
    }

    /// - Parameter offsets: ascending, one more than there are rows.
    mutating func array(
        _ child: Column, offsets: [Int], validity: Validity, _ name: String
    ) throws(LarderError) -> Column {
        guard let first = offsets.first, let last = offsets.last, last <= child.count else {
            throw .malformedArrow("the offsets of column \"\(name)\" point past its elements")
        }
        var elements = child
        var offsets = offsets
        let nullRuns = validity.firstNull { offsets[$0] != offsets[$0 + 1] } != nil
        if first != 0 || last != child.count || nullRuns {
            var packed = [0]
            var kept: [Int] = []
            try body.charge(last - first, size: 16)
            for row in 0..<validity.count {
                if validity[row] { kept.append(contentsOf: offsets[row]..<offsets[row + 1]) }
                packed.append(kept.count)
            }
            elements = child.gathered(kept)
            offsets = packed
        }
        if elements.nullCount > 0, let element = (0..<elements.count).first(where: elements.isNull) {
            let row = (offsets.firstIndex { $0 > element } ?? 1) - 1
            throw nullElement(element - offsets[row], row: row, name)
        }
        return try adopt(name) { () throws(Column.StorageError) in
            try Column(arrayOf: elements, validity: validity, listOffsets: offsets)
        }
    }

    mutating func fixedSizeList(
        _ child: Column, size: Int, type: ValueType, validity: Validity, _ name: String
    ) throws(LarderError) -> Column {
        let count = validity.count
        let (needed, overflow) = count.multipliedReportingOverflow(by: size)
        guard !overflow, child.count >= needed else {
            throw .malformedArrow("column \"\(name)\" has \(child.count) elements for \(count) lists of \(size)")
        }
        guard case .vector = type else {
            try body.charge(count + 1, size: 8)
            return try array(child, offsets: (0...count).map { $0 * size }, validity: validity, name)
        }
        var values = child.count == needed ? child.float32s : Array(child.float32s[..<needed])
        if child.nullCount > 0 {
            for element in 0..<needed where child.isNull(element) && validity[element / size] {
                throw nullElement(element % size, row: element / size, name)
            }
        }
        if validity.nullCount > 0 {
            for row in 0..<count where !validity[row] {
                for element in row * size..<(row + 1) * size { values[element] = 0 }
            }
        }
        return try adopt(name) { () throws(Column.StorageError) in
            try Column(type: type, validity: validity, float32s: values)
        }
    }

    private func nullElement(_ element: Int, row: Int, _ name: String) -> LarderError {
        LarderError(
            .columnType, "column \"\(name)\", \(place(row)): element \(element + 1) of the list is null",
            hint: "lists hold no nulls; leave the element out, or make the whole list null")
    }
}
