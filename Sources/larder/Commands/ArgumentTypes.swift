public import ArgumentParser
public import FeatureService

extension FrameFormat: ExpressibleByArgument {}

extension WriteMode: ExpressibleByArgument {}

extension ServedProject.Collection: ExpressibleByArgument {}

extension TrainingSetOptions.KnownByOption: ExpressibleByArgument {}

extension WriteDestination: ExpressibleByArgument {}
