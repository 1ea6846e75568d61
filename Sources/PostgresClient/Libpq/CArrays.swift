/// Calls `body` with a NULL-terminated array of C strings, valid during the call only.
@unsafe
func withCStrings<R>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> R) -> R {
    var bytes: [CChar] = []
    var offsets: [Int] = []
    for string in strings {
        offsets.append(bytes.count)
        bytes.append(contentsOf: string.utf8CString)
    }
    return unsafe bytes.withUnsafeBufferPointer { (bytes) in
        var pointers: [UnsafePointer<CChar>?] = unsafe offsets.map { (offset) in
            unsafe bytes.baseAddress.map { unsafe $0 + offset }
        }
        unsafe pointers.append(nil)
        return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
    }
}

extension PostgresBinds {
    /// Calls `body` with the arrays that libpq takes parameters in, all pointing into one buffer and valid during the
    /// call only.
    @unsafe
    func withCArrays<R>(
        _ body: (
            Int32, UnsafePointer<UInt32>?, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?,
            UnsafePointer<Int32>?
        ) -> R
    ) -> R {
        let typeIdentifiers = types.map { $0.rawValue }
        let lengths = ranges.map { Int32(clamping: $0?.count ?? 0) }
        let formats = [Int32](repeating: 1, count: types.count)
        // An empty value needs an address too, because NULL means null; the extra byte provides one.
        let buffer = bytes + [0]
        return unsafe buffer.withUnsafeBytes { (buffer) in
            let start = unsafe buffer.bindMemory(to: CChar.self).baseAddress
            let values: [UnsafePointer<CChar>?] = unsafe ranges.map { (range) in
                unsafe range.flatMap { (range) in unsafe start.map { unsafe $0 + range.lowerBound } }
            }
            return unsafe typeIdentifiers.withUnsafeBufferPointer { (types) in
                unsafe values.withUnsafeBufferPointer { (values) in
                    unsafe lengths.withUnsafeBufferPointer { (lengths) in
                        unsafe formats.withUnsafeBufferPointer { (formats) in
                            unsafe body(
                                Int32(clamping: typeIdentifiers.count), types.baseAddress, values.baseAddress,
                                lengths.baseAddress, formats.baseAddress)
                        }
                    }
                }
            }
        }
    }
}
