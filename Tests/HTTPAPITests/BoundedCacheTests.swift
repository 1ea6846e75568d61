import FeatureService
import Testing

@Suite struct BoundedCacheTests {
    @Test func `many small entries or few large ones fit, and one more begins anew`() {
        for (features, fitting) in [(0, 10), (1, 9), (64, 2), (144, 1)] {
            var cache = BoundedCache<Int, String>(maximumWeight: 160)
            for number in 0..<fitting {
                cache.insert("\(number)", for: number, features: features)
                #expect(cache.count == number + 1, "\(features) features")
            }
            #expect(cache[0] == "0")
            cache.insert("last", for: -1, features: features)
            #expect(cache.count == 1 && cache[-1] == "last", "\(features) features")
        }
    }

    @Test func `an entry that is replaced weighs once`() {
        var cache = BoundedCache<Int, Int>(maximumWeight: 64)
        cache.insert(1, for: 0, features: 16)
        for value in 2..<10 { cache.insert(value, for: 0, features: 16) }
        cache.insert(0, for: 1, features: 16)
        #expect(cache[0] == 9 && cache[1] == 0)
    }
}
