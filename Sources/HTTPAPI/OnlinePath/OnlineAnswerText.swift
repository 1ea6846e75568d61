import FeatureCodec
import FeatureModel
import FeatureService
import NIOCore
import OnlineStore
import TextFormats

/// Writes the answer to an online request as JSON, from the stored bytes straight into the response's buffer: the same text as
/// `OnlineResponseWriter` writes, without a value made for each value.
///
/// How much room the text can take is known before the first byte is written, so that room is set aside once.
struct OnlineAnswerText {
    private let template: OnlineTemplate
    private let parts: OnlineAnswerParts
    private let body: OnlineBody
    private let dialect: OnlineResponseWriter.Dialect
    private let count: Int

    init(
        _ template: OnlineTemplate, _ parts: OnlineAnswerParts, _ body: OnlineBody,
        dialect: OnlineResponseWriter.Dialect
    ) {
        self.template = template
        self.parts = parts
        self.body = body
        self.dialect = dialect
        count = body.entityCount
    }

    /// - Parameters:
    ///   - rows: view by view, entity by entity.
    ///   - bytes: what their ranges are in.
    func write(_ rows: [OnlineRow], _ bytes: RawSpan, into buffer: inout ByteBuffer) {
        let eventTimes = template.views.indices.map { view in
            eventTimesText(rows[view * count..<(view + 1) * count])
        }
        // Values whose length nobody knows before are written beside.
        let outputs = parts.outputs
        let texts =
            parts.haveWidths ? [] : outputs.indices.map { outputs[$0].width == nil ? text(of: $0, rows, bytes) : [] }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room(eventTimes, texts)) { room in
            var cursor = ByteCursor(room)
            cursor.append(contentsOf: parts.head)
            for key in body.keys.indices {
                if key > 0 { cursor.append(UInt8(ascii: ",")) }
                write(key: key, into: &cursor)
            }
            var isFirst = body.keys.isEmpty
            for (index, output) in outputs.enumerated() {
                cursor.append(isFirst ? #"{"values":["# : #",{"values":["#)
                isFirst = false
                let rows = rows[output.view * count..<(output.view + 1) * count]
                if output.width == nil {
                    cursor.append(contentsOf: texts[index])
                } else {
                    write(output, rows, bytes, into: &cursor)
                }
                cursor.append(#"],"statuses":["#)
                writeStatuses(output, rows, bytes, into: &cursor)
                cursor.append(#"],"event_timestamps":["#)
                cursor.append(contentsOf: eventTimes[output.view])
                cursor.append("]}")
            }
            cursor.append("]}")
            return cursor.count
        }
    }

    /// Bytes that the answer has at most.
    private func room(_ eventTimes: [[UInt8]], _ texts: [[UInt8]]) -> Int {
        var room = parts.head.count + 16
        for key in body.keys { room += key.text.count + 64 + count * (Self.longestStatus + Self.longestNoTime) }
        for output in parts.outputs {
            room += 64 + (output.width ?? 0) * count + Self.longestStatus * count + eventTimes[output.view].count
        }
        for text in texts { room += text.count }
        return room
    }

    /// `"OUTSIDE_MAX_AGE",`
    private static let longestStatus = 18
    /// `"1970-01-01T00:00:00Z",`
    private static let longestNoTime = 23

    private var isFeast: Bool { if case .feast = dialect { true } else { false } }

    /// A key is always there, with the request's own text of each value.
    private func write(key: Int, into cursor: inout ByteCursor) {
        let noTime: StaticString = isFeast ? #""1970-01-01T00:00:00Z""# : "null"
        cursor.append(#"{"values":"#)
        body.bytes.withUnsafeBytes { bytes in
            var isFirst = true
            cursor.append(UInt8(ascii: "["))
            for value in body.values[body.keys[key].values] {
                if !isFirst { cursor.append(UInt8(ascii: ",")) }
                isFirst = false
                cursor.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[value.text]))
            }
            cursor.append(UInt8(ascii: "]"))
        }
        cursor.append(#","statuses":["#)
        for row in 0..<count { cursor.append(row > 0 ? #","PRESENT""# : #""PRESENT""#) }
        cursor.append(#"],"event_timestamps":["#)
        for row in 0..<count {
            if row > 0 { cursor.append(UInt8(ascii: ",")) }
            cursor.append(noTime)
        }
        cursor.append("]}")
    }

    private func eventTimesText(_ rows: ArraySlice<OnlineRow>) -> [UInt8] {
        let writer = OnlineResponseWriter(dialect: dialect)
        var out: [UInt8] = []
        out.reserveCapacity(30 * count)
        var last: (time: Timestamp?, text: [UInt8])?
        for row in rows {
            if !out.isEmpty { out.append(UInt8(ascii: ",")) }
            if let last, last.time == row.eventTime {
                // Rows of one batch often share their time.
                out.append(contentsOf: last.text)
                continue
            }
            let start = out.count
            writer.append(row.eventTime, to: &out)
            if count > 1 { last = (row.eventTime, Array(out[start...])) }
        }
        return out
    }

    private func writeStatuses(
        _ output: OnlineAnswerParts.Output, _ rows: ArraySlice<OnlineRow>, _ bytes: RawSpan,
        into cursor: inout ByteCursor
    ) {
        let fields = output.fields
        let isFeast = isFeast
        let filledIn: StaticString =
            !isFeast ? #""DEFAULTED""# : output.defaultIsNull ? #""NULL_VALUE""# : #""PRESENT""#
        var isFirst = true
        for row in rows {
            if !isFirst { cursor.append(UInt8(ascii: ",")) }
            isFirst = false
            switch row.verdict {
            case .fresh:
                let field = fields[row.plan]
                if field.kind == .filledIn {
                    cursor.append(filledIn)
                } else if field.isNull(in: bytes.extracting(row.bodyRange)) {
                    cursor.append(#""NULL_VALUE""#)
                } else {
                    cursor.append(#""PRESENT""#)
                }
            case .outsideMaxAge: cursor.append(#""OUTSIDE_MAX_AGE""#)
            case .notFound: cursor.append(#""NOT_FOUND""#)
            case .invalidKey: cursor.append(isFeast ? #""NOT_FOUND""# : #""INVALID_KEY""#)
            }
        }
    }
}

// MARK: - Values

extension OnlineAnswerText {
    private func write(
        _ output: OnlineAnswerParts.Output, _ rows: ArraySlice<OnlineRow>, _ bytes: RawSpan,
        into cursor: inout ByteCursor
    ) {
        switch output.type {
        case .scalar(.float64):
            values(output, rows, bytes, &cursor) { field, stored, cursor in
                JSONText.write(
                    field.kind == .widenedFloat32 ? Double(field.float32(in: stored)) : field.float64(in: stored),
                    into: &cursor)
            }
        case .scalar(.int64):
            values(output, rows, bytes, &cursor) { field, stored, cursor in
                JSONText.write(
                    field.kind == .widenedInt32 ? Int64(field.int32(in: stored)) : field.int64(in: stored),
                    into: &cursor)
            }
        case .scalar(.int32):
            values(output, rows, bytes, &cursor) { field, stored, cursor in
                JSONText.write(Int64(field.int32(in: stored)), into: &cursor)
            }
        case .scalar(.float32):
            values(output, rows, bytes, &cursor) { field, stored, cursor in
                JSONText.write(field.float32(in: stored), into: &cursor)
            }
        case .scalar(.bool):
            values(output, rows, bytes, &cursor) { field, stored, cursor in
                cursor.append(field.bool(in: stored) ? "true" : "false")
            }
        default: preconditionFailure("values of type \(output.type) have no greatest width")
        }
    }

    @inline(__always)
    private func values(
        _ output: OnlineAnswerParts.Output, _ rows: ArraySlice<OnlineRow>, _ bytes: RawSpan,
        _ cursor: inout ByteCursor, _ write: (OnlineField, RawSpan, inout ByteCursor) -> Void
    ) {
        let fields = output.fields
        var isFirst = true
        for row in rows {
            if !isFirst { cursor.append(UInt8(ascii: ",")) }
            isFirst = false
            guard row.verdict == .fresh else {
                cursor.append("null")
                continue
            }
            let field = fields[row.plan]
            let stored = bytes.extracting(row.bodyRange)
            if field.kind == .filledIn {
                cursor.append(contentsOf: output.defaultText)
            } else if field.isNull(in: stored) {
                cursor.append("null")
            } else {
                write(field, stored, &cursor)
            }
        }
    }

    /// Values of any length.
    private func text(of index: Int, _ rows: [OnlineRow], _ bytes: RawSpan) -> [UInt8] {
        let output = template.outputs[index]
        let plans = template.views[output.view].plans
        var out: [UInt8] = []
        for row in rows[output.view * count..<(output.view + 1) * count] {
            if !out.isEmpty { out.append(UInt8(ascii: ",")) }
            guard row.verdict == .fresh else {
                out.append(contentsOf: "null".utf8)
                continue
            }
            let field = output.fields[row.plan]
            let stored = bytes.extracting(row.bodyRange)
            switch field.kind {
            case .filledIn: out.append(contentsOf: parts.outputs[index].defaultText)
            case _ where field.isNull(in: stored): out.append(contentsOf: "null".utf8)
            case .string:
                stored.extracting(field.range(in: stored)).withUnsafeBytes { text in
                    JSONText.writeString(text.assumingMemoryBound(to: UInt8.self), into: &out)
                }
            case .timestamp: JSONText.write(Timestamp(microsecondsSince1970: field.int64(in: stored)), into: &out)
            case .date: JSONText.write(CalendarDate(daysSince1970: field.int32(in: stored)), into: &out)
            default: write(output, plans[row.plan], stored, into: &out)
            }
        }
        return out
    }

    /// Bytes, arrays and vectors, by way of a column.
    private func write(
        _ output: OnlineTemplate.Output, _ plan: OnlineRowProjection.Plan, _ stored: RawSpan, into out: inout [UInt8]
    ) {
        var column = Column(type: output.type)
        guard case .stored(let position) = plan.sources[output.feature],
            let reader = try? OnlineRowReader(stored, layout: plan.layout)
        else { preconditionFailure("a value that was checked is not readable") }
        reader.append(position, in: stored, to: &column)
        JSONText.write(column, row: 0, into: &out)
    }
}
