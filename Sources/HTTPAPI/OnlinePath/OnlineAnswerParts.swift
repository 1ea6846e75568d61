import FeatureCodec
import FeatureModel
import FeatureService
import TextFormats

/// What all JSON answers of one template have in common.
final class OnlineAnswerParts: Sendable {
    /// A feature of the answer. A class, because its parts would be counted for each answer.
    final class Output: Sendable {
        let type: ValueType
        /// Position in the template's views.
        let view: Int
        /// Where it is in a value, by the plan that reads the value.
        let fields: [OnlineField]
        /// Bytes that a value and the comma before it have at most; nil for values of any length.
        let width: Int?
        /// What stands in where a row does not have the feature.
        let defaultText: [UInt8]
        let defaultIsNull: Bool

        init(_ output: OnlineTemplate.Output) {
            type = output.type
            view = output.view
            fields = output.fields
            var defaultText: [UInt8] = []
            JSONText.write(output.defaultValue, into: &defaultText)
            self.defaultText = defaultText
            defaultIsNull = output.defaultValue == .null
            width = OnlineAnswerParts.width(of: type).map { max($0, defaultText.count, 4) + 1 }
        }
    }

    /// Up to the first result: `{"metadata":{...},"results":[`
    let head: [UInt8]
    /// One for each output of the template.
    let outputs: [Output]
    /// Whether all of them have a greatest width.
    let haveWidths: Bool

    init(_ template: OnlineTemplate, includesVersions: Bool) {
        var head = Array(#"{"metadata":{"feature_names":["#.utf8)
        var isFirst = true
        for name in template.keys.map(\.name) + template.outputs.map(\.name) {
            if !isFirst { head.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONText.writeString(name, into: &head)
        }
        head.append(UInt8(ascii: "]"))
        if includesVersions {
            OnlineResponseWriter.appendVersions(
                template.outputs.map { (template.views[$0.view].name, template.views[$0.view].schemaVersion) },
                to: &head)
        }
        head.append(contentsOf: #"},"results":["#.utf8)
        self.head = head
        outputs = template.outputs.map(Output.init)
        haveWidths = outputs.allSatisfy { $0.width != nil }
    }

    fileprivate static func width(of type: ValueType) -> Int? {
        switch type {
        case .scalar(.bool): 5
        case .scalar(.int32): 11
        case .scalar(.int64): 20
        // The longest finite ones; an infinity has eleven with its quotes.
        case .scalar(.float32): 16
        case .scalar(.float64): 24
        default: nil
        }
    }
}
