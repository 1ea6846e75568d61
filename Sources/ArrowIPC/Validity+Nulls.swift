import FeatureModel

extension Validity {
    /// The first null row for which `condition` holds. Rows without nulls are passed over eight at a time.
    @inline(__always)
    func firstNull(where condition: (_ row: Int) -> Bool) -> Int? {
        let bits = bits.span
        for byte in bits.indices where bits[byte] != 0xFF {
            for row in byte * 8..<min(byte * 8 + 8, count)
            where bits[byte] & (1 << UInt8(row & 7)) == 0 && condition(row) {
                return row
            }
        }
        return nil
    }
}

extension Array {
    /// Makes what null rows hold a zero, so that equal columns have equal storage.
    mutating func clearNulls(_ validity: Validity, to zero: Element) {
        _ = validity.firstNull { row in
            self[row] = zero
            return false
        }
    }
}
