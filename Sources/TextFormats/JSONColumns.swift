import FeatureModel

/// The columns that JSON objects are read into, and which member goes into which of them.
struct JSONColumns {
    struct Traits {
        /// The declared columns are typed, the others take any JSON value as text.
        let isDeclared: Bool
        let isOptional: Bool
        /// Whether an object without the member is fine.
        let mayLack: Bool
    }

    let fields: [Field]
    /// One for each field.
    let traits: [Traits]
    /// One behind the other.
    private let names: [UInt8]
    private let nameEnds: [Int]
    private let columnsByName: [[UInt8]: Int]
    /// For each column, behind one for the beginning, the column that came next when it was last looked for: objects
    /// tend to have their members in one order, be it the declared one or another.
    private var next: [Int]

    /// - Parameter firstObject: the names of its members.
    init(_ options: TextReadOptions, firstObject: [[UInt8]]) {
        let declared = options.fields.map { Array($0.name.utf8) }
        var kept: [[UInt8]] = []
        for name in firstObject.prefix(options.limits.maximumColumns) where !kept.contains(name) {
            if declared.contains(name)
                ? options.extraColumns == .keep : options.keeps(String(decoding: name, as: UTF8.self))
            {
                kept.append(name)
            }
        }
        let names =
            options.extraColumns == .keep
            ? kept + declared.filter { !kept.contains($0) } : declared + kept
        let fields = names.map { name in
            declared.firstIndex(of: name).map { options.fields[$0] }
                ?? Field(name: String(decoding: name, as: UTF8.self), type: .string)
        }
        traits = zip(fields, names).map { field, name in
            let isDeclared = declared.contains(name)
            let isOptional = !isDeclared || field.isNullable || options.optionalMissing.contains(field.name)
            return Traits(
                isDeclared: isDeclared, isOptional: isOptional, mayLack: isOptional || options.mayLack(field.name))
        }
        self.fields = fields
        var (bytes, ends): ([UInt8], [Int]) = ([], [])
        for name in names {
            bytes.append(contentsOf: name)
            ends.append(bytes.count)
        }
        self.names = bytes
        nameEnds = ends
        columnsByName = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset) })
        next = Array(0...names.count)
    }

    /// The column that a member goes into; nil when there is none.
    /// - Parameters:
    ///   - name: as it stands in `bytes`, between the quotes.
    ///   - previous: the column of the member before; nil for the first.
    mutating func column(_ name: Range<Int>, hasEscapes: Bool, in bytes: [UInt8], after previous: Int?) -> Int? {
        let place = previous.map { $0 + 1 } ?? 0
        let guess = next[place]
        if !hasEscapes, guess < fields.count, isName(bytes.span.extracting(name), of: guess) { return guess }
        let text = hasEscapes ? JSONEscapes.resolve(bytes[name]) : Array(bytes[name])
        guard let column = columnsByName[text] else { return nil }
        next[place] = column
        return column
    }

    private func isName(_ text: Span<UInt8>, of column: Int) -> Bool {
        let start = column == 0 ? 0 : nameEnds[column - 1]
        return text.equals(names.span.extracting(start..<nameEnds[column]))
    }

    /// The names of an object's members; of broken JSON those before the mistake, and none where the text is no object.
    static func memberNames(_ bytes: [UInt8], _ range: Range<Int>, maximumDepth: Int) -> [[UInt8]] {
        var tokenizer = JSONTokenizer(bytes, range: range, maximumDepth: maximumDepth)
        var names: [[UInt8]] = []
        do throws(JSONSyntaxError) {
            guard try tokenizer.next() == .beginObject else { return [] }
            while try tokenizer.next() == .name {
                names.append(tokenizer.textBytes)
                try tokenizer.skip(from: try tokenizer.next())
            }
        } catch {
            // Reading the row reports it.
            return names
        }
        return names
    }
}
