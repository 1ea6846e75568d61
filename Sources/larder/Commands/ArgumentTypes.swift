public import ArgumentParser
public import FeatureModel
public import FeatureService

extension FrameFormat: ExpressibleByArgument {}

extension WriteMode: ExpressibleByArgument {}

extension ServedProject.Collection: ExpressibleByArgument {}

extension TrainingSetOptions.KnownByOption: ExpressibleByArgument {}

extension WriteDestination: ExpressibleByArgument {}

extension Timestamp: ExpressibleByArgument {
    /// RFC 3339 with an offset.
    public init?(argument: String) {
        self.init(argument)
    }
}
