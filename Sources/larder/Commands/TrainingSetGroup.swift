import ArgumentParser

struct TrainingSetGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "training-set", abstract: "Join a spine with features as of each row's time.",
        subcommands: [
            TrainingSetCreate.self, TrainingSetList.self, TrainingSetShow.self, TrainingSetReproduce.self,
            TrainingSetDelete.self, TrainingSetExplain.self,
        ])
}
