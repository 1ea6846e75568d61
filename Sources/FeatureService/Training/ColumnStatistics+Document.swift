import FeatureModel
import FrameStatistics
import TextFormats

extension ColumnStatistics {
    /// As JSON. Estimates say how far they may be off: `rank_error`, `count_error`, `relative_standard_error`.
    var document: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("type", .string("\(type)")), .init("count", .integer(rowCount)),
            .init("nulls", .integer(nullCount)),
        ]
        if let bools {
            members += [.init("true", .integer(bools.trueCount)), .init("false", .integer(bools.falseCount))]
        }
        if let numbers {
            members += [
                .init("nan", .integer(numbers.nanCount)),
                .init("infinite", .integer(numbers.positiveInfinityCount + numbers.negativeInfinityCount)),
                .init("mean", .value(numbers.mean)), .init("std", .value(numbers.standardDeviation)),
            ]
        }
        if let order {
            members += [
                .init("min", order.minimum.map(JSONValue.init) ?? .null),
                .init("max", order.maximum.map(JSONValue.init) ?? .null),
                .init(
                    "quantiles",
                    .object(order.quantiles.map { .init("\($0.probability)", JSONValue($0.value)) })),
                .init("rank_error", .integer(order.rankError)),
            ]
        }
        if let lengths {
            members += [
                .init("min_length", lengths.minimum.map { .integer($0) } ?? .null),
                .init("max_length", lengths.maximum.map { .integer($0) } ?? .null),
            ]
        }
        if let distinct {
            members += [
                .init("distinct", .integer(distinct.value)),
                .init("relative_standard_error", .value(distinct.relativeStandardError)),
            ]
        }
        if let topValues {
            let values = topValues.values.map { top in
                JSONValue.object([.init("value", JSONValue(top.value)), .init("count", .integer(top.count))])
            }
            members += [.init("top", .array(values)), .init("count_error", .integer(topValues.countError))]
        }
        return .object(members)
    }
}

extension JSONValue {
    /// A value as answers write it; NaN and infinities are strings.
    fileprivate init(_ value: Value) {
        var text: [UInt8] = []
        JSONText.write(value, into: &text)
        self = (try? JSONValue.parse(text)) ?? .null
    }

    fileprivate static func value(_ number: Double?) -> JSONValue {
        number.map { JSONValue(.float64($0)) } ?? .null
    }
}
