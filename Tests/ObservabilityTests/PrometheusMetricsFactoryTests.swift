import CoreMetrics
import Testing

@testable import Observability

struct PrometheusMetricsFactoryTests {
    private func text(_ factory: PrometheusMetricsFactory) -> String {
        String(decoding: factory.scrape(), as: UTF8.self)
    }

    private func lines(_ factory: PrometheusMetricsFactory, startingWith prefix: String) -> [String] {
        text(factory).split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    @Test func everyKindOfMetricIsShownInItsOwnForm() {
        var configuration = PrometheusConfiguration()
        configuration.help = ["http.requests": "Requests answered"]
        configuration.timerBounds = [0.1, 1]
        configuration.recorderBounds = [10]
        let factory = PrometheusMetricsFactory(configuration)
        let requests = Counter(
            label: "http.requests", dimensions: [("status", "200"), ("path", "/a")], factory: factory)
        requests.increment(by: 3)
        FloatingPointCounter(label: "cpu.seconds", factory: factory).increment(by: 1.5)
        Gauge(label: "queue.depth", factory: factory).record(7)
        Meter(label: "level", factory: factory).set(-0.25)
        let rows = Recorder(label: "rows", factory: factory)
        for value in [3, 10, 11] { rows.record(value) }
        let timer = Timer(label: "read", factory: factory)
        for milliseconds in [50, 100, 500, 5000] { timer.recordMilliseconds(milliseconds) }
        #expect(
            text(factory) == """
                # HELP cpu_seconds_total cpu.seconds
                # TYPE cpu_seconds_total counter
                cpu_seconds_total 1.5
                # HELP http_requests_total Requests answered
                # TYPE http_requests_total counter
                http_requests_total{path="/a",status="200"} 3
                # HELP level level
                # TYPE level gauge
                level -0.25
                # HELP queue_depth queue.depth
                # TYPE queue_depth gauge
                queue_depth 7
                # HELP read_seconds read
                # TYPE read_seconds histogram
                read_seconds_bucket{le="0.1"} 2
                read_seconds_bucket{le="1"} 3
                read_seconds_bucket{le="+Inf"} 4
                read_seconds_sum 5.65
                read_seconds_count 4
                # HELP rows rows
                # TYPE rows histogram
                rows_bucket{le="10"} 2
                rows_bucket{le="+Inf"} 3
                rows_sum 24
                rows_count 3

                """)
    }

    @Test func nothingRecordedIsAnEmptyPage() {
        #expect(PrometheusMetricsFactory().scrape().isEmpty)
    }

    @Test func labelValuesAndHelpAreEscaped() {
        var configuration = PrometheusConfiguration()
        configuration.help = ["m": "a\\b \"c\"\nd"]
        let factory = PrometheusMetricsFactory(configuration)
        Counter(label: "m", dimensions: [("l", "a\\b \"c\"\nd é")], factory: factory).increment()
        #expect(
            text(factory) == #"""
                # HELP m_total a\\b "c"\nd
                # TYPE m_total counter
                m_total{l="a\\b \"c\"\nd é"} 1

                """#)
    }

    @Test func namesThatPrometheusDoesNotTakeAreMadeToFit() {
        let factory = PrometheusMetricsFactory()
        Counter(label: "2xx-é total", dimensions: [("__x", "1"), ("a.b", "2"), ("", "3")], factory: factory).increment()
        #expect(lines(factory, startingWith: "_2xx") == [#"_2xx____total{_="3",a_b="2",exported___x="1"} 1"#])
    }

    @Test func aHistogramsOwnLabelCannotBeTaken() {
        var configuration = PrometheusConfiguration()
        configuration.timerBounds = [1]
        let factory = PrometheusMetricsFactory(configuration)
        Timer(label: "t", dimensions: [("le", "x")], factory: factory).recordSeconds(2)
        #expect(
            lines(factory, startingWith: "t_seconds_bucket") == [
                #"t_seconds_bucket{exported_le="x",le="1"} 0"#, #"t_seconds_bucket{exported_le="x",le="+Inf"} 1"#,
            ])
    }

    @Test(arguments: [
        (Double.infinity, "+Inf"), (-Double.infinity, "-Inf"), (.nan, "NaN"), (0, "0"), (1e300, "1e+300"),
        (-1.5, "-1.5"),
    ])
    func specialNumbersHaveTheirWords(value: Double, word: String) {
        let factory = PrometheusMetricsFactory()
        Gauge(label: "g", factory: factory).record(value)
        #expect(lines(factory, startingWith: "g") == ["g \(word)"])
    }

    @Test func theSameLabelAndDimensionsInAnyOrderAreOneSeries() {
        let factory = PrometheusMetricsFactory()
        Counter(label: "c", dimensions: [("a", "1"), ("b", "2")], factory: factory).increment()
        Counter(label: "c", dimensions: [("b", "2"), ("a", "1")], factory: factory).increment()
        #expect(lines(factory, startingWith: "c_total") == [#"c_total{a="1",b="2"} 2"#])
    }

    @Test func seriesAreShownInTheSameOrderEachTime() {
        let factory = PrometheusMetricsFactory()
        for value in ["b", "a", "c"] {
            Counter(label: "c", dimensions: [("l", value)], factory: factory).increment()
            Counter(label: value, factory: factory).increment()
        }
        let samples = text(factory).split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(
            samples == [
                "a_total 1", "b_total 1", "c_total 1", "c_total{l=\"a\"} 1", "c_total{l=\"b\"} 1", "c_total{l=\"c\"} 1",
            ])
    }

    // MARK: Histograms

    @Test func aValueOnABoundBelongsToThatBucket() {
        let histogram = HistogramSeries(bounds: [1, 2, 4])
        for value in [0.5, 1, 1.5, 2, 4, 4.1, .infinity, -1] { histogram.record(value) }
        #expect(histogram.snapshot.cumulativeCounts == [3, 5, 6, 8])
    }

    @Test func notANumberIsNotCounted() {
        let histogram = HistogramSeries(bounds: [1])
        histogram.record(Double.nan)
        histogram.record(1.0)
        #expect(histogram.snapshot.cumulativeCounts == [1, 1])
        #expect(histogram.snapshot.sum == 1)
    }

    @Test func boundsAreSortedAndUnusableOnesDropped() {
        var configuration = PrometheusConfiguration()
        configuration.timerBounds = [1, .nan, 0.5, 1, .infinity]
        let factory = PrometheusMetricsFactory(configuration)
        Timer(label: "t", factory: factory).recordSeconds(0.7)
        #expect(
            lines(factory, startingWith: "t_seconds_bucket") == [
                #"t_seconds_bucket{le="0.5"} 0"#, #"t_seconds_bucket{le="1"} 1"#, #"t_seconds_bucket{le="+Inf"} 1"#,
            ])
    }

    @Test func countersOnlyGrow() {
        let counter = CounterSeries()
        counter.increment(by: 5)
        counter.increment(by: -3)
        #expect(counter.value == 5)
        let sum = FloatingPointCounterSeries()
        for amount in [1.5, -1, .nan, .infinity] { sum.increment(by: amount) }
        #expect(sum.value == 1.5)
    }

    // MARK: Bounds

    @Test func tooManyLabelSetsShareOneSeriesAndAreCounted() {
        var configuration = PrometheusConfiguration()
        configuration.maximumSeriesPerMetric = 3
        let factory = PrometheusMetricsFactory(configuration)
        for index in 0..<10 { Counter(label: "c", dimensions: [("l", "\(index)")], factory: factory).increment() }
        Counter(label: "c", dimensions: [("l", "0")], factory: factory).increment()
        #expect(
            lines(factory, startingWith: "c_total") == [
                #"c_total{l="0"} 2"#, #"c_total{l="1"} 1"#, #"c_total{l="2"} 1"#, #"c_total{overflow="true"} 7"#,
            ])
        #expect(lines(factory, startingWith: "metrics_label") == [#"metrics_label_overflow_total{metric="c_total"} 7"#])
    }

    @Test func labelsThatAreNotAllowedAreLeftOutAndTheirSeriesMerge() {
        var configuration = PrometheusConfiguration()
        configuration.allowedLabels = ["status"]
        let factory = PrometheusMetricsFactory(configuration)
        for user in ["a", "b"] {
            Counter(label: "c", dimensions: [("status", "200"), ("user", user)], factory: factory).increment()
        }
        #expect(lines(factory, startingWith: "c_total") == [#"c_total{status="200"} 2"#])
    }

    @Test func aNameOfAnotherKindIsRefusedAndTheFirstStays() {
        let factory = PrometheusMetricsFactory()
        Gauge(label: "x", factory: factory).record(1)
        Recorder(label: "x", factory: factory).record(2)
        #expect(lines(factory, startingWith: "x") == ["x 1"])
        #expect(lines(factory, startingWith: "metrics_refused") == ["metrics_refused_total 1"])
    }

    @Test func tooManyMetricsAreRefused() {
        var configuration = PrometheusConfiguration()
        configuration.maximumMetrics = 2
        let factory = PrometheusMetricsFactory(configuration)
        for label in ["a", "b", "c", "d"] { Counter(label: label, factory: factory).increment() }
        #expect(lines(factory, startingWith: "metrics_refused") == ["metrics_refused_total 2"])
        #expect(lines(factory, startingWith: "c_total").isEmpty)
    }

    @Test func aDestroyedMetricIsGoneAndItsPlaceIsFree() {
        var configuration = PrometheusConfiguration()
        configuration.maximumSeriesPerMetric = 1
        let factory = PrometheusMetricsFactory(configuration)
        let first = Counter(label: "c", dimensions: [("l", "1")], factory: factory)
        first.increment()
        first.destroy()
        #expect(text(factory).isEmpty)
        Counter(label: "c", dimensions: [("l", "2")], factory: factory).increment()
        #expect(lines(factory, startingWith: "c_total") == [#"c_total{l="2"} 1"#])
    }

    // MARK: Concurrency

    @Test func concurrentRecordingLosesNothing() async {
        let factory = PrometheusMetricsFactory()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for index in 0..<2_000 {
                        Counter(label: "c", dimensions: [("l", "\(index % 4)")], factory: factory).increment()
                        FloatingPointCounter(label: "f", factory: factory).increment(by: 0.5)
                        Timer(label: "t", factory: factory).recordMilliseconds(task)
                    }
                }
            }
            group.addTask {
                for _ in 0..<200 { _ = factory.scrape() }
            }
        }
        #expect(lines(factory, startingWith: "c_total") == (0..<4).map { "c_total{l=\"\($0)\"} 4000" })
        #expect(lines(factory, startingWith: "f_total") == ["f_total 8000"])
        #expect(lines(factory, startingWith: "t_seconds_count") == ["t_seconds_count 16000"])
    }

    @Test func aScrapeDuringRecordingAgreesWithItself() async {
        let histogram = HistogramSeries(bounds: [1, 2])
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for index in 0..<20_000 { histogram.record(Double(index % 3) + 0.5) } }
            group.addTask {
                for _ in 0..<500 {
                    let counts = histogram.snapshot.cumulativeCounts
                    #expect(counts == counts.sorted())
                }
            }
        }
        #expect(histogram.snapshot.cumulativeCounts.last == 20_000)
    }
}
