/// A customer's orders: the head of a small project.
enum Orders {
    /// With one view of the amount, for as long as there is one.
    static let spending = """
        \(head)
        kind: feature_view
        name: spending
        entities: [customer]
        source: orders
        features: [{name: amount, type: float64}]
        """

    /// Project, entity and source; feature views follow.
    static let head = """
        kind: project
        name: test
        ---
        kind: entity
        name: customer
        join_keys: [{name: customer_id, type: int64}]
        ---
        kind: source
        name: orders
        type: table
        columns:
          - {name: customer_id, type: int64, nullable: false}
          - {name: at, type: timestamp, nullable: false}
          - {name: amount, type: float64}
        timestamp: at
        row_key: [customer_id, at]
        ---
        """
}
