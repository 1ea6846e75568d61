/// Bounds on one exchange with Redis.
enum Limits {
    /// Keys of one `MGET`, the sentinel not counted. Redis serves nobody else while it answers one: 10,000 keys are about
    /// 10 ms. A larger read becomes several `MGET`s of one pipeline, each with the sentinel.
    static let maximumKeysPerRead = 10_000
    /// Rows of one script run; while it runs Redis serves nobody else: 128 rows are well under a millisecond.
    static let rowsPerScript = 128
    /// Bytes of keys and values of one script run, unless a single row has more.
    static let bytesPerScript = 256 << 10
    /// Script runs sent before their replies are awaited.
    static let scriptsPerPipeline = 16
    /// Keys asked for by one `SCAN` step when key spaces are cleared.
    static let keysPerScan: Int64 = 1_000
}
