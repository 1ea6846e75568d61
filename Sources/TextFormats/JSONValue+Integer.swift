extension JSONValue {
    /// The integer that a number of JSON is, however it is written: `12`, `12.0`, `1.2e1`.
    /// - Returns: nil for a number with a fraction, however small, and beyond 64 bits.
    public static func integer(_ digits: String) -> Int64? {
        if let value = Int64(digits) { return value }
        return NumberText.decimal(Array(digits.utf8).span, isStrict: true)?.integer
    }
}

extension NumberText.Decimal {
    /// Nil for a number with a fraction, however small, and beyond 64 bits.
    var integer: Int64? {
        guard isExact else { return nil }
        var (mantissa, exponent) = (self.mantissa, self.exponent)
        guard mantissa > 0 else { return 0 }
        while exponent < 0, mantissa.isMultiple(of: 10) {
            mantissa /= 10
            exponent += 1
        }
        // Nineteen digits is as far as 64 bits go.
        guard (0..<19).contains(exponent) else { return nil }
        for _ in 0..<exponent {
            let (product, overflows) = mantissa.multipliedReportingOverflow(by: 10)
            if overflows { return nil }
            mantissa = product
        }
        return isNegative ? Int64(exactly: mantissa).map { -$0 } : Int64(exactly: mantissa)
    }
}
