import FeatureModel

/// Columns of an input that say of no value what type it is: of Arrow's type Null, or lists of it. They are read as text,
/// which nobody who wrote them would know them by.
struct UntypedColumns: Sendable {
    private let names: Set<String>

    static let none = UntypedColumns([])

    init(_ names: Set<String>) {
        self.names = names
    }

    /// The type of a column, as messages say it.
    func typeText(of column: String, _ type: ValueType) -> String {
        names.contains(column) ? "of no type (Arrow's Null, pa.null() in pyarrow)" : "\(type)"
    }

    /// What helps where a column is not of the type that is needed.
    /// - Parameter other: for a column that has a type.
    func hint(for column: String, needing type: ValueType, other: String?) -> String? {
        names.contains(column) ? "write the column as \(type), also where it holds nothing but nulls" : other
    }
}
