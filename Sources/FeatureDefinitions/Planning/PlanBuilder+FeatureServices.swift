import FeatureModel

extension PlanBuilder {
    mutating func planFeatureServices() {
        for service in definition.featureServices.sorted(by: { $0.name < $1.name }) {
            let refusalsBefore = refusals.count
            let references = service.references.compactMap { resolve($0, in: service) }
            guard refusals.count == refusalsBefore else { continue }
            let index = next.featureServices.liveIndex(named: service.name)
            let candidate = RegisteredFeatureService(
                id: index.map { next.featureServices[$0].id } ?? 0, name: service.name,
                description: service.description, references: references)
            guard isNamedUniquely(candidate, at: service.location) else { continue }
            if let index {
                record(
                    .featureService, service.name,
                    details: Self.changes(from: next.featureServices[index], to: candidate))
                next.featureServices[index] = candidate
            } else {
                add(candidate)
            }
        }
        for name in next.featureServices.namesMissing(from: definition.featureServices.map(\.name)) {
            guard planRemoval(.featureService, name), let index = next.featureServices.liveIndex(named: name) else {
                continue
            }
            next.featureServices[index].isRemoved = true
        }
        next.featureServices = next.featureServices.orderedByName
    }

    private mutating func add(_ candidate: RegisteredFeatureService) {
        var service = candidate
        service.id = allocateID(.featureService)
        next.featureServices.append(service)
        let count = service.references.reduce(0) { $0 + $1.featureIDs.count }
        let pins = service.references.map { "\($0.viewName)@\($0.version)" }
        var details: [String] = []
        for pin in pins where !details.contains("pins \(pin)") { details.append("pins \(pin)") }
        changes.append(
            PlannedChange(
                action: .added, kind: .featureService, name: service.name, summary: Self.count(count, "feature"),
                details: details))
    }

    /// Pins a reference to a version of its view and to feature ids.
    private mutating func resolve(
        _ reference: ServiceReferenceDefinition, in service: FeatureServiceDefinition
    ) -> ServiceReference? {
        do throws(LarderError) {
            let view = try next.featureView(named: reference.viewName)
            let version = try view.readableVersion(reference.version)
            var features = version.features.map(\.schema)
            if case .named(let names) = reference.features {
                features = []
                for name in names { features.append(try view.feature(named: name, of: version)) }
            }
            let keys = view.generation(version.generation)?.joinKeys ?? []
            for key in reference.joinKeyMapping.keys.sorted() where !keys.contains(where: { $0.name == key }) {
                throw LarderError(
                    .definitionInvalid, "feature view \"\(view.name)\" has no join key \"\(key)\"",
                    hint: nearestHint(key, among: keys.map(\.name), kind: "its join keys"))
            }
            return ServiceReference(
                viewID: view.id, viewName: view.name, alias: reference.alias, version: version.version,
                featureIDs: features.map(\.id), featureNames: features.map(\.name),
                joinKeyMapping: reference.joinKeyMapping)
        } catch {
            refuse(error, subject: service.name, at: reference.location)
            return nil
        }
    }

    /// Refuses services whose features could not be told apart in an answer.
    private mutating func isNamedUniquely(_ service: RegisteredFeatureService, at location: SourceLocation) -> Bool {
        do throws(LarderError) {
            let selection = try FeatureSelection.resolve(service: service, in: next)
            _ = try selection.outputNames(full: false)
            _ = try selection.outputNames(full: true)
            return true
        } catch {
            refuse(error, subject: service.name, at: location)
            return false
        }
    }

    private mutating func refuse(_ error: LarderError, subject: String, at location: SourceLocation) {
        refusals.append(
            LarderError(
                .definitionInvalid, "feature_service \"\(subject)\": \(error.message)", hint: error.hint,
                location: location))
    }

    /// What changes for those who use the service, as lines.
    private static func changes(from old: RegisteredFeatureService, to new: RegisteredFeatureService) -> [String] {
        var details: [String] = []
        if old.description != new.description { details.append("description changed") }
        let before = pins(of: old)
        let after = pins(of: new)
        for (name, pin) in after.sorted(by: { $0.key < $1.key }) {
            guard let former = before[name] else {
                details.append("+ \(name)")
                continue
            }
            if former.viewID != pin.viewID {
                details.append("\(name) reads a new feature view of the same name")
            } else if former.featureID != pin.featureID {
                details.append("\(name) reads a new feature of the same name")
            }
            if former.keys != pin.keys { details.append("\(name) reads other request keys") }
        }
        for name in before.keys.sorted() where after[name] == nil { details.append("- \(name)") }
        details += repinned(from: old, to: new)
        if details.isEmpty, old.references != new.references { details.append("features in a new order") }
        return details
    }

    private struct Pin {
        let viewID: Int64
        let featureID: Int32
        let keys: [String: String]
    }

    private static func pins(of service: RegisteredFeatureService) -> [String: Pin] {
        var pins: [String: Pin] = [:]
        for reference in service.references {
            for (id, name) in zip(reference.featureIDs, reference.featureNames) {
                pins["\(reference.alias ?? reference.viewName):\(name)"] = Pin(
                    viewID: reference.viewID, featureID: id, keys: reference.joinKeyMapping)
            }
        }
        return pins
    }

    private static func repinned(from old: RegisteredFeatureService, to new: RegisteredFeatureService) -> [String] {
        var lines: [String] = []
        for reference in new.references {
            guard
                let former = old.references.first(where: {
                    $0.viewID == reference.viewID && $0.alias == reference.alias
                        && $0.featureIDs.contains(where: reference.featureIDs.contains)
                }), former.version != reference.version
            else { continue }
            let line = "pins \(reference.viewName)@\(reference.version) instead of @\(former.version)"
            if !lines.contains(line) { lines.append(line) }
        }
        return lines
    }
}
