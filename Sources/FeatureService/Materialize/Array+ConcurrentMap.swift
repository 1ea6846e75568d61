extension Array where Element: Sendable {
    /// Transforms the elements side by side, at most `limit` at a time.
    ///
    /// - Returns: what they became, in their order.
    /// - Throws: what the first one to fail throws, once the others, which are cancelled, have ended.
    func concurrentMap<Transformed: Sendable>(
        atMost limit: Int, _ transform: @escaping @Sendable (Element) async throws -> Transformed
    ) async throws -> [Transformed] {
        try await withThrowingTaskGroup(of: (Int, Transformed).self) { group in
            var results: [Int: Transformed] = [:]
            for (index, element) in enumerated() {
                if index >= limit, let (finished, result) = try await group.next() { results[finished] = result }
                group.addTask { (index, try await transform(element)) }
            }
            for try await (finished, result) in group { results[finished] = result }
            return indices.compactMap { results[$0] }
        }
    }
}
